/** Taking a snapshot: everything that is compared before and after an upgrade. Reads only. */
import { performance } from 'node:perf_hooks';
import type { Connection } from '../postgres/connection.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { clusterParts, needsStats, type ReadOnlyByUs } from './cluster-parts.ts';
import { databaseParts, emptyDatabase, type Found } from './database-parts.ts';
import { askLog, type ReadLog } from './log.ts';
import { askParts, NotMeasured, type Part, type PartOptions, readOnly } from './part.ts';
import * as sql from './sql-cluster.ts';
import { askStatements } from './statements.ts';

/** What a snapshot is taken with. */
export interface SnapshotOptions {
  /** A connection to a database; without a name to the one that cluster-wide questions are asked in. */
  connect(database?: string): Promise<Connection>;
  databases: readonly string[];
  signal: AbortSignal;
  /** End of the server's log, where the server does not collect one itself. */
  serverLog?: ReadLog | undefined;
  /** Milliseconds for one statement; 30000 by default. */
  statementTimeout?: number;
  now: () => Date;
  /** What is read-only by our own doing: it counts as it was before. */
  readOnlyByUs?: readonly ReadOnlyByUs[];
  /** Connections that ask at the same time; 2 by default. */
  parallel?: number;
  /** Told of every part that was asked, with its milliseconds. */
  onPart?: (what: string, milliseconds: number) => void;
}

const databasesAtMost = 500;

/** What can only be asked when the rest is known: where pg_stat_statements lives. The log comes last: it tells of us. */
async function askLast(snapshot: Snapshot, found: Found, options: SnapshotOptions, parts: PartOptions) {
  const { statementTimeout: timeout } = parts;
  const [database, schema] = found.statements ?? [undefined, null];
  const statements: Part = {
    what: 'statements',
    database,
    async ask(connection) {
      if (schema === null)
        throw new NotMeasured('the extension pg_stat_statements is in none of the databases');
      const [rights] = await connection.query<{ stats: boolean }>(sql.rightsSql);
      if (rights?.stats !== true) throw new NotMeasured(needsStats);
      snapshot.statements = await readOnly(connection, timeout, () => askStatements(connection, schema));
    },
  };
  const log: Part = {
    what: 'log',
    database: undefined,
    async ask(connection) {
      snapshot.log = await readOnly(connection, timeout, () => askLog(connection, options.serverLog));
    },
  };
  await askParts(timed([statements, log], options), snapshot.missing, { ...parts, parallel: 1 });
}

function timed(parts: readonly Part[], { onPart }: SnapshotOptions): Part[] {
  if (!onPart) return [...parts];
  return parts.map((part) => ({
    ...part,
    async ask(connection) {
      const started = performance.now();
      await part.ask(connection).finally(() => onPart(part.what, performance.now() - started));
    },
  }));
}

/**
 * Takes a snapshot. A part that cannot be measured is null and told in `missing`; it stops nothing else.
 * @throws Cancelled, and what the server answers where it does not even say who it is
 */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { connect, signal, now } = options;
  const parts: PartOptions = {
    connect,
    signal,
    statementTimeout: options.statementTimeout ?? 30_000,
    parallel: options.parallel ?? 2,
  };
  const timeout = parts.statementTimeout;
  const started = performance.now();
  const names = options.databases.slice(0, databasesAtMost);
  const snapshot: Snapshot = {
    at: now().toISOString(),
    durationMs: 0,
    versionNum: 0,
    server: {},
    settings: null,
    databases: names.map(emptyDatabase),
    connections: null,
    replication: null,
    slots: null,
    archiver: null,
    statements: null,
    log: null,
    missing: [],
  };
  if (names.length < options.databases.length)
    snapshot.missing.push({
      what: `${options.databases.length - names.length} databases`,
      why: `${databasesAtMost} are measured`,
      state: null,
    });
  await using main = await connect();
  const [server] = await readOnly(main, timeout, () =>
    main.query<Record<string, unknown> & { version: number }>(sql.serverSql),
  );
  for (const [name, value] of Object.entries(server ?? {}))
    if (name !== 'version') snapshot.server[name] = String(value);
  snapshot.versionNum = server?.version ?? 0;
  await main.close();
  const found: Found = {
    byName: new Map(snapshot.databases.map((database) => [database.name, database])),
    statements: null,
  };
  await askParts(
    // The slow ones first: what comes last is waited for alone.
    timed(
      [...databaseParts(found, timeout), ...clusterParts(snapshot, found, timeout, options.readOnlyByUs)],
      options,
    ),
    snapshot.missing,
    parts,
  );
  await askLast(snapshot, found, options, parts);
  snapshot.missing.sort((a, b) => (a.what < b.what ? -1 : 1));
  snapshot.durationMs = Math.round(performance.now() - started);
  return snapshot;
}
