/** Cuts the network off from a server, and says in words how a scratch server is kept from acting on anything. */
import { messageOf, UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import type { SystemUser } from '../process/user.ts';

/** How to start a program without a network. */
export interface NetworkCut {
  /** Goes before the program and its arguments; empty where the network cannot be cut off. */
  prefix: readonly string[];
  /** The user to start the whole as: null where the prefix itself changes to the server's user. */
  user: SystemUser | null;
  /** One sentence for people. */
  sentence: string;
}

/**
 * A network namespace has nothing in it but a loopback device that is down. Root makes one and becomes the server's
 * user inside; anybody else needs a user namespace around it (unshare(1)), which some machines refuse.
 */
function attempts(user: SystemUser | null): { prefix: [string, ...string[]]; user: SystemUser | null }[] {
  const own: { prefix: [string, ...string[]]; user: SystemUser | null } = {
    prefix: ['unshare', '--user', '--map-current-user', '--net', '--'],
    user,
  };
  if (!user) return [own];
  const become = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--'];
  return [{ prefix: ['unshare', '--net', '--', ...become], user: null }, own];
}

/**
 * Finds out by trying. Never fails: a machine that refuses is told of in the sentence.
 * @param user the server's user; null for ourselves
 */
export async function cutNetwork(user: SystemUser | null): Promise<NetworkCut> {
  let refused = '';
  for (const attempt of attempts(user)) {
    try {
      const tried = await run([...attempt.prefix, 'true'], { user: attempt.user, timeout: 10_000 });
      if (tried.code === 0) {
        return {
          ...attempt,
          sentence:
            'The network is cut off: its processes reach no other machine and no port of this one (a network namespace of its own).',
        };
      }
      refused = lastLines(tried.stderr, 1);
    } catch (cause) {
      if (!(cause instanceof UpgradeError)) throw cause;
      refused = messageOf(cause);
    }
  }
  return {
    prefix: [],
    user,
    sentence: `The network is NOT cut off: this machine allows no network namespace${refused === '' ? '' : ` (${refused})`}.`,
  };
}

/** Whose processes they are, and what that means; null stands for ourselves. */
export function userWords(user: SystemUser | null, asked: SystemUser | null): string {
  if (user && asked && user.uid !== asked.uid)
    return `Its processes run as the operating-system user ${user.name}, which owns nothing of the target.`;
  return `Its processes run as ${user ? `the operating-system user ${user.name}` : 'the user of this job'}: files that this user may write are NOT kept from them.`;
}

/** What holds for every scratch server of this major, one sentence a measure. */
export function isolationWords(major: number): string[] {
  return [
    'It listens on no network address, only on a socket in a folder that no other user of this machine may enter, root apart.',
    'A login needs a random password that is made for this server (scram-sha-256).',
    'No background worker of any extension runs: no cron job, no queue of web requests (max_worker_processes = 0, cron.launch_active_jobs = off).',
    'Nothing is archived or replicated: archive_mode is off, archive_command and primary_conninfo are empty, no logical replication worker runs.',
    major >= 17
      ? 'Event triggers are off (event_triggers = off).'
      : `Event triggers are NOT off as a whole: PostgreSQL ${major} has no setting for it. A restore makes them last of all.`,
  ];
}
