import { describe, expect, it } from 'vitest';
import type { ScratchKind } from '../../src/postgres/scratch.ts';
import { kindsOf, noVersion, type Offer, rankOffers } from '../../src/postgres/scratch-choice.ts';
import { formatVersion, parseVersion } from '../../src/postgres/version.ts';

const offer = (kind: ScratchKind, version: string): Offer => ({ kind, version: parseVersion(version) });
const wanted = parseVersion('15.18');
const ranked = (nearest: boolean, ...offers: Offer[]): string[] =>
  rankOffers(offers, wanted, nearest).map(({ kind, version }) => `${kind} ${formatVersion(version)}`);

describe('rankOffers', () => {
  it('takes the exact version only, installed programs first', () =>
    expect(
      ranked(
        false,
        offer('docker', '15.18'),
        offer('embedded', '15.18'),
        offer('embedded', '15.17'),
        offer('binaries', '15.20'),
        offer('binaries', '15.18'),
        offer('binaries', '16.18'),
      ),
    ).toEqual(['binaries 15.18', 'embedded 15.18', 'docker 15.18']));

  it('has nothing where the version is missing', () =>
    expect(ranked(false, offer('binaries', '15.17'), offer('docker', '16.18'))).toEqual([]));

  it('takes the nearest, of two as near the newer, whatever its kind; never another major', () =>
    expect(
      ranked(
        true,
        offer('binaries', '15.16'),
        offer('embedded', '15.17'),
        offer('docker', '15.19'),
        offer('binaries', '15.20'),
        offer('binaries', '14.18'),
        offer('embedded', '15.19'),
      ),
    ).toEqual(['embedded 15.19', 'docker 15.19', 'embedded 15.17', 'binaries 15.20', 'binaries 15.16']));

  it('takes the exact version first where the nearest would do', () =>
    expect(ranked(true, offer('binaries', '15.17'), offer('docker', '15.18'))).toEqual([
      'docker 15.18',
      'binaries 15.17',
    ]));
});

describe('kindsOf', () => {
  it('looks everywhere, or only where it was told', () => {
    expect(kindsOf('auto')).toEqual(['binaries', 'embedded', 'docker']);
    expect(kindsOf('docker')).toEqual(['docker']);
  });
});

describe('noVersion', () => {
  const looked = ['/usr/lib/postgresql/15/bin (15.20)', 'Docker (docker is not installed)'];

  it('names everything that was looked at, what there is, and both ways out', () =>
    expect(
      noVersion({
        wanted,
        nearest: false,
        looked,
        offers: [offer('embedded', '15.17'), offer('binaries', '15.20'), offer('binaries', '16.1')],
      }),
    ).toMatchObject({
      code: 'scratch-version',
      message: 'PostgreSQL 15.18 cannot be had for a scratch server.',
      hint: `Looked at: /usr/lib/postgresql/15/bin (15.20); Docker (docker is not installed).
Of PostgreSQL 15 there is: 15.17 (embedded), 15.20 (binaries).
Install 15.18 and name its folder in environment.binaries, or give the job Docker and an image with the tag 15.18; or write \`nearest: allow\` in rehearsal to take the nearest minor version.`,
    }));

  it('does not offer what was allowed, or what would not help', () =>
    expect(noVersion({ wanted, nearest: true, looked, offers: [] })).toMatchObject({
      message: 'No version of PostgreSQL 15 can be had for a scratch server.',
      hint: `Looked at: /usr/lib/postgresql/15/bin (15.20); Docker (docker is not installed).
Of PostgreSQL 15 there is: nothing else.
Install 15.18 and name its folder in environment.binaries, or give the job Docker and an image with the tag 15.18.`,
    }));

  it('is short where there are many', () => {
    const many = Array.from({ length: 12 }, (_, minor) => offer('embedded', `15.${minor}`));
    expect(noVersion({ wanted, nearest: false, looked, offers: many }).hint).toContain(
      'there is: 15.11 (embedded), 15.10 (embedded), 15.9 (embedded), 15.8 (embedded), 15.7 (embedded), 15.6 (embedded), 15.5 (embedded), 15.4 (embedded), and 4 more.',
    );
  });
});
