/** Which of the servers that can be had becomes the scratch server. Pure. */
import { UpgradeError } from '../errors.ts';
import type { ScratchKind } from './scratch.ts';
import { compareVersions, formatVersion, type PgVersion } from './version.ts';

/** One server that can be had. */
export interface Offer {
  kind: ScratchKind;
  version: PgVersion;
}

/** What is used first of what is equally near: nothing has to be fetched for programs that are installed. */
const order: readonly ScratchKind[] = ['binaries', 'embedded', 'docker'];

/** Kinds to look at for what is asked for, in their order. */
export function kindsOf(asked: 'auto' | ScratchKind): readonly ScratchKind[] {
  return asked === 'auto' ? order : [asked];
}

/**
 * Those that will do, the best first: the exact version; with `nearest` every minor of the same major by its distance,
 * of two as near the newer one.
 */
export function rankOffers<T extends Offer>(offers: readonly T[], wanted: PgVersion, nearest: boolean): T[] {
  const distance = ({ version }: Offer): number => Math.abs(version.minor - wanted.minor);
  return offers
    .filter(({ version }) => version.major === wanted.major)
    .filter((offer) => nearest || distance(offer) === 0)
    .sort(
      (a, b) =>
        distance(a) - distance(b) ||
        compareVersions(b.version, a.version) ||
        order.indexOf(a.kind) - order.indexOf(b.kind),
    );
}

/** What was seen while looking for the version. */
export interface Search {
  wanted: PgVersion;
  nearest: boolean;
  /** Every place, with what was found there. */
  looked: readonly string[];
  /** Other versions of the same major that could be had. */
  offers: readonly Offer[];
}

/** Says what was looked at, what there is instead, and both ways out. */
export function noVersion({ wanted, nearest, looked, offers }: Search): UpgradeError {
  const version = formatVersion(wanted);
  const near = rankOffers(offers, wanted, true).filter(({ version: { minor } }) => minor !== wanted.minor);
  const there = [...new Set(near.map(({ version: other, kind }) => `${formatVersion(other)} (${kind})`))];
  const shown = there.length > 8 ? [...there.slice(0, 8), `and ${there.length - 8} more`] : there;
  return new UpgradeError(
    'scratch-version',
    nearest
      ? `No version of PostgreSQL ${wanted.major} can be had for a scratch server.`
      : `PostgreSQL ${version} cannot be had for a scratch server.`,
    {
      phase: 'prove',
      hint: [
        `Looked at: ${looked.join('; ')}.`,
        `Of PostgreSQL ${wanted.major} there is: ${shown.join(', ') || 'nothing else'}.`,
        `Install ${version} and name its folder in environment.binaries, or give the job Docker and an image with the tag ${version}${there.length > 0 && !nearest ? '; or write `nearest: allow` in rehearsal to take the nearest minor version' : ''}.`,
      ].join('\n'),
      docs: 'rehearsals.md#the-scratch-server',
    },
  );
}
