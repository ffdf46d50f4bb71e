/** Names of container images: where they come from, which PostgreSQL is in them, on which distribution. Pure. */

/** `docker.io/library/postgres:15.20-bookworm@sha256:...`, taken apart. */
export interface ImageReference {
  /** As it was written. */
  text: string;
  /** `docker.io` where none was written. */
  registry: string;
  /** With `library/` where Docker's own image was written short. */
  repository: string;
  tag: string | null;
  /** `sha256:` and 64 hexadecimal digits. */
  digest: string | null;
  /** `15.20`; null where the tag does not name a minor version. */
  version: string | null;
  /** What follows the version: `bookworm`, `alpine3.21`; empty for nothing. */
  suffix: string;
}

const component = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tagText = /^\w[\w.-]{0,127}$/;
const digestText = /^sha256:[0-9a-f]{64}$/;
const registryText = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;

/** The longest reference that is looked at. */
const longest = 512;

/**
 * Reads a reference as Docker does; null for what is none.
 * Source: https://github.com/distribution/reference, the grammar in its documentation.
 */
export function parseImage(text: string): ImageReference | null {
  if (text.length > longest) return null;
  const [name = '', digest, more] = text.trim().split('@');
  if (more !== undefined || (digest !== undefined && !digestText.test(digest))) return null;
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? null : name.slice(colon + 1);
  if (tag !== null && !tagText.test(tag)) return null;
  const parts = (colon < 0 ? name : name.slice(0, colon)).split('/');
  const [first = ''] = parts;
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  if (hasRegistry && !registryText.test(first)) return null;
  const path = hasRegistry ? parts.slice(1) : parts;
  if (path.some((part) => !component.test(part))) return null;
  const registry = hasRegistry && first !== 'index.docker.io' ? first : 'docker.io';
  const repository = registry === 'docker.io' && path.length === 1 ? `library/${path[0]}` : path.join('/');
  return { text: text.trim(), registry, repository, tag, digest: digest ?? null, ...versionOf(tag) };
}

/** `15.20`, `15.20-bookworm`. `15`, `latest` and `15.4.0` name no release of PostgreSQL. */
function versionOf(tag: string | null): { version: string | null; suffix: string } {
  const found = /^([1-9]\d\.(?:0|[1-9]\d{0,2}))(?:-(.+))?$/.exec(tag ?? '');
  return { version: found?.[1] ?? null, suffix: found?.[2] ?? '' };
}

/** Whether both are the same image, whatever their tags; `postgres` is `docker.io/library/postgres`. */
export function sameImage(a: ImageReference, b: ImageReference): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}
