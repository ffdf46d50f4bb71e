/**
 * Indexes on text after the library that sorts it has changed: another image base, another build of the server. First
 * everything that depends on the order is rebuilt, then the new version of the collation is recorded. Never the other
 * way round: the record is the only thing that tells that an index may be wrong.
 */
import type { Step, StepRun } from '../environments/environment.ts';
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { type Connection, quoteIdent } from '../postgres/connection.ts';
import { listDatabaseNames } from '../postgres/databases.ts';
import { runLong } from '../postgres/maintain.ts';
import { connectTo } from './connect.ts';
import { mixedOrder } from './journal.ts';
import { rebuild } from './rebuild.ts';
import type { Run } from './target.ts';

/** What one database needs. */
interface Mending {
  indexes: { name: string; concurrently: boolean }[];
  /** Statements that record the new versions. */
  refresh: string[];
  /** Partitioned tables whose bounds may be wrong now: nothing here can mend them. */
  partitioned: string[];
}

/** Version of the database's own collation, recorded and actual; from 15 on. */
const databaseVersion = `
SELECT d.datcollversion AS recorded, pg_catalog.pg_database_collation_actual_version(d.oid) AS actual
FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()`;

/** Collations that something uses, and whose version is not the recorded one; a library that has none cannot be recorded. */
const collations = `
SELECT c.oid::pg_catalog.int8::pg_catalog.text AS oid, pg_catalog.format('%I.%I', n.nspname, c.collname) AS name
FROM pg_catalog.pg_collation AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.collversion IS NOT NULL
  AND c.oid IN (SELECT d.refobjid FROM pg_catalog.pg_depend AS d
                WHERE d.refclassid = 'pg_catalog.pg_collation'::pg_catalog.regclass)
  AND pg_catalog.pg_collation_actual_version(c.oid) <> c.collversion`;

/** Keys, expressions and predicates of indexes, and range types with a collation of their own. $1: oids of collations. */
const dependentIndexes = `
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, NOT x.indisexclusion AS concurrently
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
  AND (x.indcollation::pg_catalog.oid[] && $1::pg_catalog.oid[]
    OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d
               WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                 AND d.refclassid = 'pg_catalog.pg_collation'::pg_catalog.regclass AND d.refobjid = ANY ($1::pg_catalog.oid[]))
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_range AS r ON r.rngtypid = a.atttypid
               WHERE a.attrelid = c.oid AND r.rngcollation = ANY ($1::pg_catalog.oid[])))
ORDER BY 1`;

/** A bound of a list or hash partition does not depend on the order of texts as such; one of a range does. */
const dependentPartitions = `
SELECT p.partrelid::pg_catalog.regclass::pg_catalog.text AS name FROM pg_catalog.pg_partitioned_table AS p
WHERE p.partstrat = 'r' AND p.partcollation::pg_catalog.oid[] && $1::pg_catalog.oid[] ORDER BY 1`;

/** Oid of the collation "default", which stands for the database's own (pg_collation.dat). */
const databaseDefault = '100';

async function lookAt(connection: Connection, database: string): Promise<Mending> {
  const [version] = await connection.query<{ num: string }>(
    "SELECT pg_catalog.current_setting('server_version_num') AS num",
  );
  const [own] =
    Number(version?.num) < 150_000
      ? []
      : await connection.query<{ recorded: string | null; actual: string | null }>(databaseVersion);
  const found = await connection.query<{ oid: string; name: string }>(collations);
  const oids = found.map(({ oid }) => oid);
  const refresh = found.map(({ name }) => `ALTER COLLATION ${name} REFRESH VERSION`);
  if (own !== undefined && own.recorded !== null && own.actual !== null && own.recorded !== own.actual) {
    oids.push(databaseDefault);
    refresh.push(`ALTER DATABASE ${quoteIdent(database)} REFRESH COLLATION VERSION`);
  }
  if (oids.length === 0) return { indexes: [], refresh, partitioned: [] };
  return {
    indexes: await connection.query(dependentIndexes, [oids]),
    refresh,
    partitioned: (await connection.query<{ name: string }>(dependentPartitions, [oids])).map(
      ({ name }) => name,
    ),
  };
}

/**
 * Rebuilds what depends on collations whose version changed, and what an interrupted attempt may have rebuilt for
 * another version; then records the versions. In every database.
 * @returns how many indexes were rebuilt
 * @throws Cancelled, UpgradeError `collation-partitions`, `collation-reindex`
 */
export async function mendCollations(run: Run, step: StepRun): Promise<number> {
  const names = await (async () => {
    await using main = await connectTo(run);
    return await listDatabaseNames(main);
  })();
  const earlier = run.journal.state().rebuilt;
  let rebuilt = 0;
  for (const database of names) {
    const { indexes, refresh, partitioned } = await (async () => {
      await using connection = await connectTo(run, database);
      return await lookAt(connection, database);
    })();
    if (partitioned[0] !== undefined) {
      throw new UpgradeError(
        'collation-partitions',
        `${database}: ${partitioned[0]} is partitioned by ranges of text, and text sorts differently now: rows may lie in the wrong partition.`,
        {
          phase: 'upgrade',
          hint: 'Upgrade to programs that are built with the same libraries, or move its rows into new partitions by hand.',
        },
      );
    }
    const again = earlier
      .filter((each) => each.database === database && !indexes.some(({ name }) => name === each.index))
      .map(({ index }) => ({ name: index, concurrently: true }));
    const todo = [...indexes, ...again];
    if (todo.length + refresh.length === 0) continue;
    await step.switchOff({
      id: mixedOrder,
      what: 'indexes on text are being rebuilt for another version of the library that sorts',
      detail: null,
    });
    for (const [index, each] of todo.entries()) {
      step.progress(`${database}: rebuilding ${each.name} (${index + 1} of ${todo.length})`);
      await rebuildOne(run, step, database, each);
    }
    for (const sql of refresh) await runLong(() => connectTo(run, database, 0), sql, step.signal);
    step.note(
      `${database}: ${todo.length} indexes on text rebuilt, ${refresh.length} collation versions recorded`,
    );
    rebuilt += todo.length;
  }
  await step.isBack(mixedOrder);
  return rebuilt;
}

/** A rebuild that fails leaves the index as it was: on the way back that one fits. */
async function rebuildOne(
  run: Run,
  step: StepRun,
  database: string,
  { name, concurrently }: Mending['indexes'][number],
): Promise<void> {
  const sql = `REINDEX INDEX ${concurrently ? 'CONCURRENTLY ' : ''}${name}`;
  await run.journal.rebuild(database, name, 'started');
  try {
    await rebuild(run, step, { database, index: name }, sql);
  } catch (cause) {
    await run.journal.rebuild(database, name, 'failed');
    if (cause instanceof Cancelled || step.signal.aborted) throw new Cancelled();
    throw new UpgradeError(
      'collation-reindex',
      `${database}: ${name} could not be rebuilt: ${messageOf(cause)}.`,
      {
        phase: 'upgrade',
        hint: 'A unique index that cannot be rebuilt has duplicates: find and remove them, then run again.',
        cause,
      },
    );
  }
}

/** The step; does nothing where no collation changed, which only the new server can tell. */
export function collationsStep(run: Run): Step {
  return {
    isDone: async () => false,
    async run(step) {
      const rebuilt = await mendCollations(run, step);
      if (rebuilt === 0) step.note('no collation changed its version');
      return { state: 'done' };
    },
  };
}
