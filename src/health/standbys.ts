/** Standbys that follow: as text, and waiting for them after a restart. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../postgres/connection.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { mark } from './sql-cluster.ts';

const streamingSql = `${mark} SELECT application_name AS name FROM pg_catalog.pg_stat_replication
WHERE state = 'streaming' AND application_name NOT LIKE 'pg_basebackup%' LIMIT 100`;

const joined = (names: readonly string[]): string => names.toSorted().join(', ') || 'none';

/** Names of the standbys that stream, in order; `none`. */
export function standbysOf({ replication }: Snapshot): string {
  return joined((replication ?? []).filter(({ state }) => state === 'streaming').map(({ name }) => name));
}

/** Waits until the standbys that streamed before stream again; they reconnect a few seconds after a restart. */
export async function awaitStandbys(
  connect: () => Promise<Connection>,
  before: Snapshot,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const wanted = standbysOf(before);
  if (wanted === 'none') return;
  const deadline = Date.now() + timeoutMs;
  await using connection = await connect();
  while (Date.now() < deadline && !signal.aborted) {
    const rows = await connection.query<{ name: string }>(streamingSql);
    if (joined(rows.map(({ name }) => name)) === wanted) return;
    await sleep(250);
  }
}
