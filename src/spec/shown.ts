/** How an error shows a value of the spec: without the secret that somebody wrote where its name belongs. */
import type { JsonSchema } from './keys.ts';
import type { Path } from './yaml.ts';

const reference = /^env:[A-Za-z_][A-Za-z0-9_]*$/;

/** Names of all keys whose value is `env:NAME`, wherever they stand. */
export function secretKeys(schema: JsonSchema): Set<string> {
  const { properties = {}, items, anyOf = [], oneOf = [], additionalProperties } = schema;
  const inner = [...Object.values(properties), items, ...anyOf, ...oneOf, additionalProperties];
  return new Set([
    ...Object.keys(properties).filter((key) => properties[key]?.pattern?.startsWith('^env:')),
    ...inner.flatMap((each) => (typeof each === 'object' ? [...secretKeys(each)] : [])),
  ]);
}

/** A text without what is secret in an address or a key: of a URL scheme and host stay. */
export function masked(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)(\S+)/gi, (_all, scheme: string, rest: string) => {
      const host = /^[^/?#]*/.exec(rest)?.[0] ?? '';
      // A password may hold any of the characters that end a host.
      if (rest.includes('@')) return `${scheme}***`;
      return host === rest ? `${scheme}${rest}` : `${scheme}${host}/***`;
    })
    .replaceAll(/(password\s*=\s*)\S+/gi, '$1***')
    .replaceAll(/AGE-SECRET-KEY-\w+/gi, 'AGE-SECRET-KEY-***');
}

function sort(value: unknown): string {
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'boolean') return 'true or false';
  return value === null ? 'empty' : 'a set of keys';
}

/** Whether only the sort of a value is told: where `env:NAME` belongs, and every other text of a channel. */
function isHidden(value: unknown, path: Path, secrets: ReadonlySet<string>): boolean {
  if (typeof value === 'string' && reference.test(value)) return false;
  if (path.some((key) => typeof key === 'string' && secrets.has(key))) return true;
  return typeof value === 'string' && path[0] === 'channels' && !path.includes('at');
}

function safe(value: unknown, path: Path, secrets: ReadonlySet<string>): unknown {
  if (isHidden(value, path, secrets)) return sort(value);
  if (typeof value === 'string') return masked(value);
  if (Array.isArray(value)) return value.map((each, index) => safe(each, [...path, index], secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [masked(key), safe(each, [...path, key], secrets)]),
  );
}

/**
 * A value or key as an error shows it: quoted, cut to 60 characters, one line.
 * Where a secret may stand, only what sort of value it is.
 */
export function shown(
  value: unknown,
  path: Path = [],
  secrets: ReadonlySet<string> = new Set<string>(),
): string {
  if (value === undefined) return 'nothing';
  if (isHidden(value, path, secrets)) return sort(value);
  const text = JSON.stringify(safe(value, path, secrets));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
