/** What a restore would lose, as far as it costs little to know. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotName } from '../backup/dump.ts';
import { activitySql } from '../health/sql-cluster.ts';
import { formatCount } from '../report/format.ts';
import type { BackupRecord } from '../report/record.ts';
import { type DatabaseSnapshot, snapshotSchema } from '../report/snapshot.ts';
import { connectTo } from './connect.ts';
import type { Run } from './target.ts';

/** Counters of pg_stat_database. */
interface Activity extends Record<string, unknown> {
  name: string;
  commits: number;
  since: string | null;
}

/**
 * One sentence a database that committed something since; counters that were reset meanwhile say nothing. Readers
 * commit too: it is a limit, not the number of lost writes. Pure.
 */
export function commitsSince(
  before: readonly Pick<DatabaseSnapshot, 'name' | 'activity'>[],
  now: readonly Activity[],
  databases: readonly string[],
): string[] {
  return databases.flatMap((name) => {
    const then = before.find((each) => each.name === name)?.activity ?? null;
    const today = now.find((each) => each.name === name);
    if (then === null || !today || today.since !== then.since) return [];
    const commits = today.commits - then.commits;
    if (commits < 0) return [];
    return [
      `${name}: ${formatCount(commits)} ${commits === 1 ? 'transaction was' : 'transactions were'} committed since (those that only read are counted too)`,
    ];
  });
}

/** For a backup that this machine has; nothing where nobody can tell. */
export async function writtenSince(run: Run, backup: BackupRecord): Promise<string[]> {
  const text = await readFile(join(backup.location, snapshotName), 'utf8').catch(() => null);
  if (text === null) return [];
  const snapshot = snapshotSchema.parse(JSON.parse(text));
  await using connection = await connectTo(run, 'postgres');
  const now = await connection.query<Activity>(activitySql);
  return commitsSince(
    snapshot.databases,
    now,
    backup.databases.map(({ name }) => name).filter((name) => name !== 'postgres' && name !== 'template1'),
  );
}
