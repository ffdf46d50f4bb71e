/** Restores one database of a dump into a scratch server, and stops at the first error. */
import { join } from 'node:path';
import { UpgradeError } from '../errors.ts';
import { clientPath } from '../postgres/clients.ts';
import { connect, quoteIdent } from '../postgres/connection.ts';
import { clientLogin } from '../postgres/passfile.ts';
import type { ScratchServer } from '../postgres/scratch.ts';
import { formatVersion } from '../postgres/version.ts';
import { lastLines, run } from '../process/run.ts';
import type { Dump, DumpedDatabase } from './dump.ts';
import type { ProveOptions } from './prove.ts';

/**
 * Restores one database of a dump.
 * @throws UpgradeError `restore-failed`; Cancelled
 */
export async function restoreDatabase(
  dump: Dump,
  database: DumpedDatabase,
  server: ScratchServer,
  options: ProveOptions,
): Promise<void> {
  await using login = await clientLogin(server.settings('postgres'));
  // The scratch server has these two already: they are dropped and made anew, from another one.
  const exists = ['postgres', 'template1'].includes(database.name);
  const into = [
    ...(exists ? ['--clean', '--if-exists'] : []),
    '--create',
    `--dbname=${database.name === 'postgres' ? 'template1' : 'postgres'}`,
  ];
  const attempt = (jobs: number): ReturnType<typeof run> =>
    run(
      [
        clientPath(options.clients, 'pg_restore'),
        '--exit-on-error',
        `--jobs=${jobs}`,
        '--no-subscriptions',
        ...into,
        ...login.args,
        join(dump.folder, database.folder),
      ],
      // A database that is read-only by default (ALTER DATABASE ... SET) would refuse its own rows.
      {
        env: { ...login.env, PGOPTIONS: '-c default_transaction_read_only=off' },
        signal: options.signal,
      },
    );
  const ticker = setInterval(
    () =>
      void restoredBytes(server, database.name).then((bytes) => {
        if (bytes) options.progress(`${database.name}: ${bytes} restored`);
      }),
    5000,
  );
  try {
    let result = await attempt(options.jobs);
    if (result.code !== 0 && options.jobs > 1 && !exists) {
      // Parallel restores can race on the indexes of partitioned tables (release notes of November 2026): one
      // worker decides whether the dump is bad.
      options.note(
        `${database.name}: the restore with ${options.jobs} workers failed, trying with one: ${lastLines(result.stderr, 1)}`,
      );
      await using connection = await connect(server.settings('postgres'), { statementTimeout: 0 });
      await connection.query('UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = $1', [
        database.name,
      ]);
      await connection.script(`DROP DATABASE IF EXISTS ${quoteIdent(database.name)}`);
      result = await attempt(1);
    }
    if (result.code !== 0) {
      throw new UpgradeError(
        'restore-failed',
        `The dump of ${database.name} could not be restored into ${formatVersion(server.version)}.`,
        {
          phase: 'prove',
          hint: lastLines(result.stderr, 4),
        },
      );
    }
  } finally {
    clearInterval(ticker);
  }
}

async function restoredBytes(server: ScratchServer, database: string): Promise<string | null> {
  try {
    await using connection = await connect(server.settings('template1'), { timeout: 2000 });
    const [row] = await connection.query<{ size: string }>(
      'SELECT pg_size_pretty(pg_database_size(oid)) AS size FROM pg_database WHERE datname = $1',
      [database],
    );
    return row?.size ?? null;
  } catch {
    return null;
  }
}
