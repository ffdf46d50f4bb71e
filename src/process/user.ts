/** Which operating-system user runs PostgreSQL. PostgreSQL refuses to run as root. */
import { chown, readFile } from 'node:fs/promises';
import { UpgradeError } from '../errors.ts';

/** A user of the operating system. */
export interface SystemUser {
  uid: number;
  gid: number;
  name: string;
}

/** Whether this process may become other users. */
export function areWeRoot(): boolean {
  return process.getuid?.() === 0;
}

async function passwd(): Promise<SystemUser[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

/**
 * The user for a server whose data directory belongs to `owner`; null means "as ourselves".
 * @throws UpgradeError `server-user` where we are neither the owner nor root.
 */
export async function userForOwner(owner: number): Promise<SystemUser | null> {
  if (process.getuid?.() === owner && owner !== 0) return null;
  const user = (await passwd()).find((entry) => entry.uid === owner);
  if (owner === 0) {
    throw new UpgradeError(
      'server-user',
      'The data directory belongs to root, and PostgreSQL refuses to run as root.',
      {
        hint: 'Give it to the user that runs PostgreSQL: chown -R postgres: DIR.',
      },
    );
  }
  if (!areWeRoot()) {
    throw new UpgradeError(
      'server-user',
      `The data directory belongs to ${user?.name ?? `uid ${owner}`}, not to the user that runs this job.`,
      {
        hint: 'Run the runner as that user, or as root.',
      },
    );
  }
  return user ?? { uid: owner, gid: owner, name: `uid ${owner}` };
}

/** A user of this machine by its name; null where there is none. */
export async function userNamed(name: string): Promise<SystemUser | null> {
  return (await passwd()).find((entry) => entry.name === name) ?? null;
}

/** The unprivileged user for scratch servers: ourselves (null), or `postgres`, else `nobody`, when we are root. */
export async function scratchUser(): Promise<SystemUser | null> {
  if (!areWeRoot()) return null;
  const users = await passwd();
  const user = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (!user) {
    throw new UpgradeError(
      'server-user',
      'This runs as root, and there is neither a user postgres nor nobody to run a scratch server as.',
      {
        hint: 'Create one: useradd --system postgres.',
      },
    );
  }
  return user;
}

/** Makes the user the owner of the paths; nothing for null. */
export async function giveTo(user: SystemUser | null, ...paths: string[]): Promise<void> {
  if (!user) return;
  for (const path of paths) await chown(path, user.uid, user.gid);
}
