/** What a pull request or a push changes at a target: from what its base says and what its head says. Pure. */
import type { ChangeRecord } from './record-change.ts';

/** What one side wants of a target. */
export interface Side {
  /** `15.20`. */
  version: string;
  /** The image without its tag and digest, and what follows the version in the tag; null without a manifest. */
  image: { name: string; suffix: string } | null;
  /** Everything else that the spec says of the target, and for all targets: value as JSON by dotted path. */
  rest: Readonly<Record<string, string>>;
}

/** The kind of a change, its versions, and what else changes. */
export type Classified = Pick<ChangeRecord, 'kind' | 'from' | 'to' | 'others'>;

/** @param base null where the target is new; `head` null where it is removed */
export function classify(base: Side | null, head: Side | null): Classified {
  if (!base || !head) {
    const kind = head ? 'new' : base ? 'removed' : 'none';
    return { kind, from: base && tagOf(base, false), to: head && tagOf(head, false), others: [] };
  }
  const other = base.image?.suffix !== head.image?.suffix || base.image?.name !== head.image?.name;
  const distribution = other && base.image !== null && head.image !== null;
  return {
    kind: kindOf(base.version, head.version, distribution),
    from: tagOf(base, distribution),
    to: tagOf(head, distribution),
    others: differences(base.rest, head.rest),
  };
}

/** The version, and where the distribution matters the whole tag. */
function tagOf({ version, image }: Side, whole: boolean): string {
  return whole && image?.suffix ? `${version}-${image.suffix}` : version;
}

function kindOf(from: string, to: string, distribution: boolean): ChangeRecord['kind'] {
  const [a, b] = [parts(from), parts(to)];
  if (b.major < a.major || (b.major === a.major && b.minor < a.minor)) return 'downgrade';
  if (b.major > a.major) return 'major';
  // A new minor on another distribution has another C library: text may sort differently.
  if (distribution) return 'distribution';
  return b.minor > a.minor ? 'minor' : 'none';
}

function parts(version: string): { major: number; minor: number } {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return { major, minor };
}

/** Paths whose values differ, sorted. */
function differences(a: Side['rest'], b: Side['rest']): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]).sort();
}

/** Whether it is a new minor version and nothing else: what may be upgraded without anybody looking. */
export function isPureMinor(change: ChangeRecord | null): boolean {
  return change?.kind === 'minor' && change.others.length === 0;
}

/** Whether a change asks for another version, or may. */
export function changesVersion(change: ChangeRecord | null): boolean {
  return change !== null && change.kind !== 'none' && change.kind !== 'removed';
}
