/** What stands in the way of restoring databases beside the present ones. Asked before anything is changed. */
import type { Dump, DumpedDatabase } from '../backup/dump.ts';
import type { DiskFact } from '../checks/check.ts';
import { UpgradeError } from '../errors.ts';
import { findClients } from '../postgres/clients.ts';
import type { Connection } from '../postgres/connection.ts';
import { parseVersion } from '../postgres/version.ts';
import { formatBytes } from '../report/format.ts';
import { backupFolder } from './backup-step.ts';
import { connectTo } from './connect.ts';
import type { Run } from './target.ts';

/** Restored: every ordinary database of the dump. */
export function restorable({ databases }: Pick<Dump, 'databases'>): DumpedDatabase[] {
  return databases.filter(({ name, template }) => !template && name !== 'postgres');
}

/** What is in the backup and stays as it is, in words. Pure. */
export function leftAsTheyAre({ databases }: Pick<Dump, 'databases'>): string[] {
  const kept = databases.filter(({ name, template }) => template || name === 'postgres');
  return kept.flatMap(({ name, template, inventory }) => {
    const tables = Object.keys(inventory.tables).length;
    if (tables === 0) return [];
    return [
      `${name} stays as it is, though the backup has ${tables} of its tables: ${template ? 'it is a template' : 'the action works from it'}.`,
    ];
  });
}

/** A present database. */
export interface Present extends Record<string, unknown> {
  name: string;
  connections: boolean;
}

const blocked = (what: readonly string[]): UpgradeError =>
  new UpgradeError('restore-blocked', `The backup cannot be restored: ${what[0]}.`, {
    phase: 'rollback',
    hint: what.map((each) => `${each.charAt(0).toUpperCase()}${each.slice(1)}.`).join('\n'),
    docs: 'restore.md#when-it-stops',
  });

/**
 * @param room false where the copies are there already
 * @returns every database that is there
 * @throws UpgradeError `restore-blocked` with all that stands in the way, `restore-space`
 */
export async function assertRestorable(run: Run, dump: Dump, room = true): Promise<Present[]> {
  const wanted = restorable(dump);
  const names = wanted.map(({ name }) => name);
  if (names.length === 0) throw blocked(['it holds no database but postgres and templates']);
  // The action's own sessions are in it while the others are exchanged.
  await using connection = await connectTo(run, 'postgres');
  const present = await connection.query<Present & { template: boolean }>(
    'SELECT datname AS name, datallowconn AS connections, datistemplate AS template FROM pg_catalog.pg_database ORDER BY datname',
  );
  const found = [
    ...(await foreignPrograms(run, dump)),
    ...(await sentences(connection, names)),
    ...(await missingRoles(connection, dump)),
    ...present
      .filter(({ name, template }) => template && names.includes(name))
      .map(({ name }) => `${name} is a template by now: ALTER DATABASE ... IS_TEMPLATE false first`),
  ];
  if (found.length > 0) throw blocked(found);
  if (room) await assertRoom(run, connection, wanted);
  return present.map(({ name, connections }) => ({ name, connections }));
}

/** pg_restore sets transaction_timeout from 17 on, which an older server refuses. @throws UpgradeError `clients-missing` */
async function foreignPrograms({ spec }: Run, dump: Dump): Promise<string[]> {
  const { major } = parseVersion(dump.manifest.server);
  const { version, bin } = await findClients(major, spec.backup.clients ? [spec.backup.clients] : []);
  if (version.major < 17 || major >= 17) return [];
  return [
    `pg_restore of PostgreSQL ${version.major} (${bin}) cannot restore into PostgreSQL ${major}; install postgresql-client-${major}, or name its folder in backup.clients of the spec`,
  ];
}

/** What is bound to a database and would stay behind with the old one, or keeps it from being renamed. */
async function sentences(connection: Connection, names: readonly string[]): Promise<string[]> {
  const rows = await connection.query<{ what: string }>(
    `SELECT 'the logical replication slot ' || slot_name || ' belongs to ' || database || ': its subscriber would go on reading the old data; drop the slot, and set its subscriber up anew afterwards' AS what
       FROM pg_replication_slots WHERE database = ANY ($1)
     UNION ALL
     SELECT 'the subscription ' || s.subname || ' of ' || d.datname || ' would not be restored; drop it, and set it up anew afterwards'
       FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid WHERE d.datname = ANY ($1)
     UNION ALL
     SELECT 'the prepared transaction ' || quote_literal(gid) || ' is open in ' || database || '; commit it or roll it back'
       FROM pg_prepared_xacts WHERE database = ANY ($1)
     UNION ALL
     SELECT 'the server is a standby' WHERE pg_is_in_recovery()`,
    [names],
  );
  return rows.map(({ what }) => what);
}

/** A role that was dropped since may have been dropped on purpose: it is made again by a person, or not at all. */
async function missingRoles(connection: Connection, dump: Dump): Promise<string[]> {
  const rows = await connection.query<{ identity: string }>(
    "SELECT 'role ' || quote_ident(rolname) AS identity FROM pg_roles",
  );
  const there = new Set(rows.map(({ identity }) => identity));
  return Object.keys(dump.cluster)
    .filter((identity) => identity.startsWith('role ') && !there.has(identity))
    .map(
      (identity) =>
        `the ${identity} of the backup is not there any more; make it again (globals.sql in the backup has the statement)`,
    );
}

/** The name by which environments call the filesystem of the databases. */
const dataDirectory = 'data directory';

/** Bytes that a restore needs beside the present databases: the copies, a tenth more, and as much WAL as may lie about. */
export function neededBytes(
  databases: readonly Pick<DumpedDatabase, 'sourceBytes'>[],
  walBytes: number,
): number {
  return Math.ceil(databases.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0) * 1.1 + walBytes);
}

/** Filling the disk of the target would stop it: no answer is no. @throws UpgradeError `restore-space` */
async function assertRoom(
  run: Run,
  connection: Connection,
  databases: readonly DumpedDatabase[],
): Promise<void> {
  const [row] = await connection.query<{ wal: string }>(
    "SELECT pg_size_bytes(current_setting('max_wal_size'))::text AS wal",
  );
  const needed = neededBytes(databases, Number(row?.wal ?? 0));
  const disks: DiskFact[] = await run.environment.disks(0, backupFolder(run));
  const disk = disks.find(({ purpose }) => purpose.startsWith(dataDirectory));
  if (disk && disk.freeBytes >= needed) return;
  throw new UpgradeError(
    'restore-space',
    'There is no room to restore the backup beside the present databases.',
    {
      phase: 'rollback',
      hint: disk
        ? `${disk.path}: ${formatBytes(needed)} needed, ${formatBytes(disk.freeBytes)} free.`
        : 'The filesystem of the data directory could not be measured.',
      docs: 'restore.md#when-it-stops',
    },
  );
}
