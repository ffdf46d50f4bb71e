/** Restores the databases of a backup beside the present ones, and exchanges them when all are found equal. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RestoreServer } from '../backup/restore.ts';
import { restoreInto } from '../backup/restore-into.ts';
import { verdictOf } from '../checks/run.ts';
import type { StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { findClients } from '../postgres/clients.ts';
import { quoteIdent } from '../postgres/connection.ts';
import { type PgVersion, parseVersion } from '../postgres/version.ts';
import { formatBytes } from '../report/format.ts';
import { backupFolder, nameOf, stampOf, withWork } from './backup-step.ts';
import { connectTo } from './connect.ts';
import type { Restore } from './restore-consent.ts';
import type { Names } from './restore-names.ts';
import { assertRestorable } from './restore-obstacles.ts';
import { copyEntry, type Exchange, exchange } from './restore-swap.ts';
import type { Run } from './target.ts';
import { askUntilCalm, countByStatus, validateQueries } from './validate-step.ts';

/**
 * Where it fails, the present databases are as they were; copies are dropped when the run ends.
 * @throws UpgradeError `restore-failed`, `restore-differs`, `restore-sessions`, `restore-blocked`, `restore-space`; Cancelled
 */
export async function restoreAll(
  run: Run,
  restore: Restore,
  names: readonly Names[],
  step: StepRun,
): Promise<void> {
  const { dump, snapshot } = restore;
  const server: RestoreServer = {
    settings: (database) => ({ ...run.settings, database }),
    version: parseVersion(dump.manifest.server),
  };
  const clients = await findClients(
    server.version.major,
    run.spec.backup.clients ? [run.spec.backup.clients] : [],
  );
  step.note(`client programs: ${nameOf(clients)}`);
  const versions = new Map(
    (snapshot?.databases ?? []).map(({ name, extensions }) => [
      name,
      new Map((extensions ?? []).map((each) => [each.name, each.version])),
    ]),
  );
  // The second folder is where a dump would be: there is none to remove.
  await withWork(run, step, join(backupFolder(run), `restore-${stampOf(run)}`), async (work) => {
    await mkdir(work, { recursive: true, mode: 0o700 });
    for (const each of names) {
      const { database, copy } = each;
      const dumped = dump.databases.find(({ name }) => name === database);
      if (!dumped) continue;
      step.signal.throwIfAborted();
      step.progress(`${database}: restoring into ${copy}`);
      await step.switchOff(copyEntry(each));
      const { tables, rows, objects, notCompared } = await restoreInto(dump, dumped, copy, server, {
        clients,
        jobs: run.spec.backup.jobs,
        scratchFolder: work,
        extensionVersions: (name) => versions.get(name) ?? new Map(),
        signal: step.signal,
        progress: step.progress,
        note: step.note,
      });
      step.note(
        `${database}: ${tables} tables, ${rows} rows and ${objects} objects of ${copy} are equal to what the backup says`,
      );
      for (const what of notCompared) step.note(`not compared: ${what}`);
    }
  });
  step.signal.throwIfAborted();
  // Hours may have gone by: what keeps a database from being renamed may have come meanwhile.
  const present = await assertRestorable(run, dump, false);
  await exchange(
    run,
    names.map((each): Exchange => {
      const found = present.find(({ name }) => name === each.database);
      return { ...each, present: found !== undefined, connections: found?.connections ?? true };
    }),
    step,
  );
  for (const { database, kept } of names)
    step.note(`${database} is the restored one; the old one is ${kept}`);
}

/** @throws UpgradeError `validation-checks`, `validation-health` */
export async function validateRestored(run: Run, expected: PgVersion, step: StepRun): Promise<void> {
  step.progress('asking every check');
  const results = await askUntilCalm(run, expected, step.signal);
  const { blocking } = verdictOf(results);
  if (blocking.length > 0) {
    throw new UpgradeError(
      'validation-checks',
      `After the restore ${blocking.map(({ title }) => title).join(', ')} ${blocking.length === 1 ? 'does' : 'do'} not pass. The restored databases are in their places.`,
      {
        phase: 'validate',
        hint: blocking
          .flatMap(({ seen }) => seen)
          .slice(0, 3)
          .join('\n'),
      },
    );
  }
  step.note(`${results.length} checks: ${countByStatus(results)}`);
  await validateQueries(run, step);
}

/** What is kept of the databases that were exchanged: a line for each, with the command that drops it. */
export async function keptDatabases(
  run: Run,
  exchanged: readonly Pick<Names, 'database' | 'kept'>[],
): Promise<string[]> {
  await using connection = await connectTo(run, 'postgres');
  const rows = await connection.query<{ name: string; bytes: string }>(
    'SELECT datname AS name, pg_database_size(oid)::text AS bytes FROM pg_database WHERE datname = ANY ($1) ORDER BY datname',
    [exchanged.map(({ kept }) => kept)],
  );
  return rows.map(
    ({ name, bytes }) =>
      `${name} (${formatBytes(Number(bytes))}) is ${exchanged.find(({ kept }) => kept === name)?.database} as it was before the restore. Once nobody needs it: DROP DATABASE ${quoteIdent(name)};`,
  );
}
