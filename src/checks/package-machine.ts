/** May packages be installed on the machine now, and who else does so? */
import type { Check } from './check.ts';
import { askedOfPackages, ofPackages } from './packages.ts';
import { worst } from './rows.ts';
import { bounded } from './words.ts';

/** A hold makes `apt-get install --only-upgrade` a silent no-op with exit code 0: it is asked for by itself. */
export const packageHolds: Check = {
  ...askedOfPackages,
  id: 'package-holds',
  title: 'No package of the installation is on hold',
  fix: 'apt-mark unhold them, or write holds: lift in environment: the hold is put back afterwards.',
  judge: ofPackages(({ holds, liftHolds }) => {
    if (holds.length === 0) return { status: 'passed', seen: [] };
    return liftHolds
      ? {
          status: 'info',
          seen: bounded(holds.map((name) => `${name}: the hold is lifted and put back (holds: lift)`)),
        }
      : { status: 'blocked', seen: bounded(holds.map((name) => `${name} is on hold`)) };
  }),
};

/** Whether somebody else is installing. */
export const packageLocks: Check = {
  ...askedOfPackages,
  id: 'package-locks',
  title: 'Nobody else is installing packages',
  fix: 'Wait until it has ended, or look what it waits for. Do not remove the lock files.',
  judge: ofPackages(({ locks }) => ({
    status: locks.length === 0 ? 'passed' : 'blocked',
    seen: bounded(locks.map(({ file, holder }) => `${file} is held by ${holder}`)),
  })),
};

/** Whether dpkg's house is in order. */
export const packageState: Check = {
  ...askedOfPackages,
  id: 'package-state',
  title: 'No package is half installed',
  fix: 'dpkg --configure -a finishes what was left; then apt-get --fix-broken install.',
  judge: ofPackages(({ broken }) => ({
    status: broken.length === 0 ? 'passed' : 'blocked',
    seen: bounded(broken),
  })),
};

/** Whether the machine upgrades PostgreSQL by itself. */
export const packageAutomation: Check = {
  ...askedOfPackages,
  id: 'package-automation',
  title: 'Nothing else upgrades PostgreSQL',
  fix: 'Put "postgresql-" into Unattended-Upgrade::Package-Blacklist, or the machine restarts PostgreSQL at a time of its own.',
  judge: ofPackages(({ unattended, needrestart, server }) => {
    const { status, lines } = worst([
      unattended.takes
        ? { status: 'warning', line: `unattended-upgrades is on, and may upgrade ${server} at any time` }
        : {
            status: 'passed',
            line: unattended.enabled ? `unattended-upgrades is on, and leaves ${server} alone` : '',
          },
      needrestart
        ? { status: 'info', line: 'needrestart is installed: it is suspended during the installation' }
        : { status: 'passed', line: '' },
    ]);
    return { status, seen: lines };
  }),
};

/** Whether the packages would stop and start clusters by themselves. */
export const packageRestarts: Check = {
  ...askedOfPackages,
  id: 'package-restarts',
  title: 'Packages do not restart PostgreSQL by themselves',
  fix: 'Nothing to do: an own /usr/sbin/policy-rc.d is put aside for the installation and put back.',
  judge: ofPackages(({ policy }) =>
    policy
      ? {
          status: 'info',
          seen: [
            '/usr/sbin/policy-rc.d is there already: it is put aside for the installation, asked, and put back',
          ],
        }
      : { status: 'passed', seen: ['policy-rc.d refuses it during the installation, and is removed again'] },
  ),
};

/** Whether other clusters are concerned. */
export const packageNeighbours: Check = {
  ...askedOfPackages,
  id: 'package-neighbours',
  title: 'No other cluster uses the same packages',
  fix: 'Restart them at a time of their own: until then they run the older version with the newer files beside it.',
  judge: ofPackages(({ others, wanted }) => {
    const running = others.filter(({ running: runs }) => runs);
    return {
      status: running.length > 0 ? 'warning' : 'passed',
      seen: bounded(
        running.map(
          ({ version, cluster, port }) =>
            `${version}/${cluster} on port ${port} is not restarted: it goes on with its version beside the files of ${wanted}`,
        ),
      ),
    };
  }),
};
