/** What a package manager is about to do to a machine: the facts, and what the checks that judge them share. Pure. */
import type { Check, CheckContext, Verdict } from './check.ts';

/** A cluster of the same machine that uses the same packages. */
export interface OtherCluster {
  version: number;
  cluster: string;
  port: number;
  running: boolean;
}

/** One package of a transaction. */
export interface PackageChange {
  name: string;
  /** Installed version; null for none. */
  from: string | null;
  /** Version afterwards; null where it is removed. */
  to: string | null;
  /** Ours: of PostgreSQL, or named by the spec. */
  expected: boolean;
}

/** What the package manager of the target's machine says. Versions are those of packages (`15.20-0+deb12u1`). */
export interface PackageFacts {
  /** PostgreSQL version that was approved, `15.20`. */
  wanted: string;
  /** The server's package, `postgresql-15`. */
  server: string;
  installed: string;
  /** What `apt-get install` would take by itself; null for none. */
  candidate: string | null;
  /** Every version that the package lists have. */
  offered: readonly string[];
  /** What would be done; null where it could not be simulated, `simulation` says why. */
  changes: readonly PackageChange[] | null;
  simulation: string | null;
  /** Where the installed version of each package that changes can be had again; null for nowhere. */
  wayBack: readonly {
    name: string;
    version: string;
    from: 'saved' | 'cache' | 'archive' | 'repack' | null;
  }[];
  /** Packages of the transaction that are on hold, and whether the spec lets them be lifted. */
  holds: readonly string[];
  liftHolds: boolean;
  /** Locks of apt and dpkg that are held, and by whom (`apt-get (812)`). */
  locks: readonly { file: string; holder: string }[];
  /** What `dpkg --audit` complains about, a line each. */
  broken: readonly string[];
  /** Whether unattended-upgrades is switched on and may take PostgreSQL's packages. */
  unattended: { enabled: boolean; takes: boolean };
  /** Whether needrestart is installed; the run suspends it for itself. */
  needrestart: boolean;
  /** Other clusters that use the same packages. */
  others: readonly OtherCluster[];
  /** A policy-rc.d that is there already: it is put aside for the change and put back. */
  policy: boolean;
}

/** What every check of packages is: asked before the change, of the machine, where there are packages at all. */
export const askedOfPackages = {
  scope: 'machine',
  when: 'before',
  needs: 'packages',
  minMajor: 13,
  sql: null,
} as const;

/** A judge of package facts. */
export function ofPackages(judge: (facts: PackageFacts) => Verdict): Check['judge'] {
  return (_rows, { packages }: CheckContext) =>
    packages ? judge(packages) : { status: 'skipped', seen: ['this target has no package manager'] };
}
