/** The parts of a snapshot that are asked once for the whole cluster. */
import { createHash } from 'node:crypto';
import type { Connection } from '../postgres/connection.ts';
import type { DatabaseSnapshot, Snapshot } from '../report/snapshot.ts';
import type { Found } from './database-parts.ts';
import { NotMeasured, type Part, readOnly } from './part.ts';
import * as sql from './sql-cluster.ts';

/** What a role without pg_read_all_stats is told. */
export const needsStats =
  'it needs GRANT pg_monitor TO USER; without it the server hides what other roles do';

/** Thousands of databases do not fit into one line: the rest of it is told apart by its hash. */
function shortened(text: string): string {
  if (text.length <= 2000) return text;
  return `${text.slice(0, 2000)}…, md5 of all ${createHash('md5').update(text).digest('hex')}`;
}

/** A database or role that is read-only by our own doing; `before` is the setting that it had, null for none. */
export interface ReadOnlyByUs {
  kind: 'database' | 'role';
  name: string;
  before: string | null;
}

type Rows = Record<string, unknown>;

/** The parts that are asked once; each fills in its own field of the snapshot. */
export function clusterParts(
  snapshot: Snapshot,
  found: Found,
  timeout: number,
  readOnlyBy: readonly ReadOnlyByUs[] = [],
): Part[] {
  const part = (what: string, ask: (connection: Connection) => Promise<void>): Part => ({
    what,
    database: undefined,
    ask: (connection) => readOnly(connection, timeout, () => ask(connection)),
  });
  const stats = async (connection: Connection): Promise<void> => {
    const [rights] = await connection.query<{ stats: boolean }>(sql.rightsSql);
    if (rights?.stats !== true) throw new NotMeasured(needsStats);
  };
  const facts = (rows: readonly Rows[]): void => {
    for (const [name, value] of Object.entries(rows[0] ?? {}))
      if (typeof value === 'string') snapshot.server[name] = shortened(value);
  };
  return [
    part('roles and databases', async (connection) =>
      facts(await connection.query(sql.membersSql, [JSON.stringify(readOnlyBy)])),
    ),
    part('data directory', async (connection) => {
      const [row] = await connection.query<{ directory: string | null }>(sql.dataDirectorySql);
      if (!row?.directory) throw new NotMeasured('it needs GRANT pg_read_all_settings TO USER;');
      snapshot.server['data directory'] = row.directory;
    }),
    part('settings', async (connection) => {
      const rows = await connection.query<{ name: string; value: string }>(sql.settingsSql);
      snapshot.settings = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    }),
    part('settings of superusers', async (connection) => {
      const [rights] = await connection.query<{ settings: boolean }>(sql.rightsSql);
      if (rights?.settings !== true) throw new NotMeasured('they need GRANT pg_read_all_settings TO USER;');
    }),
    part('connections', async (connection) => {
      await stats(connection);
      snapshot.connections = await connection.query(sql.connectionsSql);
    }),
    part('replication', async (connection) => {
      await stats(connection);
      snapshot.replication = await connection.query(sql.replicationSql);
    }),
    part('slots', async (connection) => {
      snapshot.slots = await connection.query(sql.slotsSql);
    }),
    part('archiver', async (connection) => {
      const [row] = await connection.query<NonNullable<Snapshot['archiver']>>(sql.archiverSql);
      snapshot.archiver = row ?? null;
    }),
    part('activity', async (connection) => {
      type Activity = NonNullable<DatabaseSnapshot['activity']> & { name: string };
      for (const { name, ...activity } of await connection.query<Activity>(sql.activitySql)) {
        const database = found.byName.get(name);
        if (database) database.activity = activity;
      }
    }),
  ];
}
