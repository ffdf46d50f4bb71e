/** Is what the package manager would install what was approved, and can it be taken back? */
import type { Check } from './check.ts';
import { askedOfPackages, ofPackages, type PackageChange, type PackageFacts } from './packages.ts';
import { bounded } from './words.ts';

/** PostgreSQL version within that of a package: `15.20` of `15.20-0+deb12u1`. */
function postgresOf(version: string | null): string {
  return /^(?:\d+:)?(\d+\.\d+)(?![\d.])/.exec(version ?? '')?.[1] ?? '';
}

/** Whether apt's own choice is the approved version. */
export const packageCandidate: Check = {
  ...askedOfPackages,
  id: 'package-candidate',
  title: 'The package candidate is the approved version',
  fix: 'Set the version in the spec to the candidate, or mend pins and sources of the machine (apt-cache policy shows both).',
  judge: ofPackages(({ wanted, server, installed, candidate, offered }) => {
    const named = `${server}: candidate ${candidate ?? 'none'}, approved ${wanted}, installed ${installed || 'none'}`;
    if (postgresOf(candidate) === wanted) return { status: 'passed', seen: [named] };
    return {
      status: 'blocked',
      seen: [named, `on offer: ${offered.length > 0 ? offered.join(', ') : 'nothing'}`],
    };
  }),
};

/** A line of the transaction: `postgresql-15 15.18-0+deb12u1 → 15.20-0+deb12u1`. */
function changeLine({ name, from, to }: PackageChange): string {
  if (to === null) return `${name} ${from ?? ''} would be removed`;
  return from === null ? `${name} ${to} would be new` : `${name} ${from} → ${to}`;
}

/** Whether the transaction changes only what it should. */
export const packageChanges: Check = {
  ...askedOfPackages,
  id: 'package-changes',
  title: 'The installation changes nothing else',
  fix: 'Look why apt wants it (apt-get install --simulate). What is right, name in environment.allow-packages; nothing is ever removed.',
  judge: ofPackages(({ changes, simulation }) => {
    if (changes === null)
      return { status: 'blocked', seen: [`apt would refuse: ${simulation ?? 'it does not say why'}`] };
    const surprise = changes.filter(({ expected }) => !expected);
    if (surprise.length > 0) return { status: 'blocked', seen: bounded(surprise.map(changeLine)) };
    return { status: 'passed', seen: bounded(changes.map(changeLine)) };
  }),
};

const places = {
  saved: 'saved already',
  cache: "in apt's cache",
  archive: 'in the archive',
  repack: 'made anew from what is installed (dpkg-repack)',
} as const;

/** Whether the present packages can be had again, for the way back. */
export const packageWayBack: Check = {
  ...askedOfPackages,
  id: 'package-way-back',
  title: 'The present packages can be had again',
  fix: 'They are saved before anything is installed. Where the archive has dropped them: apt-get install dpkg-repack, or add an archive that keeps them.',
  judge: ofPackages(({ wayBack }) => {
    const lost = wayBack.filter(({ from }) => from === null);
    const line = ({ name, version, from }: PackageFacts['wayBack'][number]): string =>
      `${name} ${version}: ${from === null ? 'nowhere' : places[from]}`;
    return lost.length > 0
      ? { status: 'blocked', seen: bounded(lost.map(line)) }
      : { status: 'passed', seen: bounded(wayBack.map(line)) };
  }),
};
