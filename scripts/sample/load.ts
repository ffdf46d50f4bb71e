/** Fills a server with the sample: a web shop and the readings of its machines. */
import { type Connection, quoteIdent } from '../../src/postgres/connection.ts';
import { createDatabasesSql, databaseSettingsSql, databases } from './databases.ts';
import { extensionsSql, pickExtensions } from './extensions.ts';
import { metricsDataSql } from './metrics/data.ts';
import { metricsIndexesSql, metricsTablesSql } from './metrics/tables.ts';
import { rolesSql } from './roles.ts';
import { changesSql, customersSql, orderLinesSql, ordersSql, productsSql } from './shop/data.ts';
import { documentsSql, objects } from './shop/documents.ts';
import { shopFunctionsSql } from './shop/functions.ts';
import { shopIndexesSql } from './shop/indexes.ts';
import { shopGrantsSql, shopReportingSql } from './shop/reporting.ts';
import { supportDataSql, supportTablesSql } from './shop/support.ts';
import { shopTablesSql } from './shop/tables.ts';
import { shopTypesSql } from './shop/types.ts';
import { type Volume, volume, words } from './volume.ts';

/** Anything that opens connections of a superuser. */
export interface SampleServer {
  connect(database?: string): Promise<Connection>;
}

export interface SampleOptions {
  /** 1 is about 200 MB on disk, 0.01 about 4 MB (and 15 MB for two empty databases); above 0, at most 100. */
  scale: number;
  /** Called with a few words before each part. */
  progress: (text: string) => void;
}

export interface Sample {
  databases: string[];
  /** Rows in all tables of both databases; views and large objects not counted. */
  rows: number;
}

/** A few words for people, and SQL that runs as one transaction. */
type Part = readonly [text: string, sql: string];

function shopParts(size: Volume): Part[] {
  return [
    ['schemas and types', shopTypesSql()],
    ['tables', shopTablesSql() + supportTablesSql()],
    ['functions and triggers', shopFunctionsSql()],
    [`${words(size.customers)} customers`, customersSql(size)],
    [`${words(size.products)} products`, productsSql(size)],
    [`${words(size.orders)} orders`, ordersSql(size)],
    ['order lines', orderLinesSql(size)],
    ['changes', changesSql()],
    [`${words(size.tickets)} tickets`, supportDataSql(size.tickets, size.bookings, size.customers)],
    [`${objects} large objects`, documentsSql(size.bigObject)],
    ['indexes and foreign keys', shopIndexesSql()],
    ['views and a publication', shopReportingSql()],
    ['grants', shopGrantsSql()],
  ];
}

function metricsParts(size: Volume): Part[] {
  return [
    ['tables', metricsTablesSql()],
    [`${words(size.samples)} samples of ${words(size.devices)} devices`, metricsDataSql(size)],
    ['indexes and views', metricsIndexesSql()],
  ];
}

/** Counts every row; partitions through their parent only. */
async function countRows(connection: Connection): Promise<number> {
  const tables = await connection.query<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`);
  let rows = 0;
  for (const { schema, name } of tables) {
    const from = `${quoteIdent(schema)}.${quoteIdent(name)}`;
    const [row] = await connection.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${from}`);
    rows += Number(row?.rows ?? 0);
  }
  return rows;
}

/** Extensions belong to the superuser, all else to `owner`: a restore has to tell them apart. */
async function fill(
  server: SampleServer,
  database: string,
  owner: string,
  parts: readonly Part[],
  progress: (text: string) => void,
): Promise<number> {
  await using connection = await server.connect(database);
  // A connection's usual time limits are for questions, not for loading; nothing here needs to survive a crash.
  await connection.script(
    `SET statement_timeout = 0; SET synchronous_commit = off; SET maintenance_work_mem = '128MB'`,
  );
  progress(`${database}: extensions`);
  await connection.script(extensionsSql(await pickExtensions(connection)));
  await connection.script(`SET ROLE ${owner}`);
  for (const [text, sql] of parts) {
    progress(`${database}: ${text}`);
    await connection.script(sql);
  }
  await connection.script('RESET ROLE');
  progress(`${database}: vacuum and statistics`);
  await connection.query('VACUUM (ANALYZE)');
  // Awaited here: the connection closes as this returns.
  return await countRows(connection);
}

/**
 * Makes the sample's roles, and its databases `shop` and `metrics`, on a server of PostgreSQL 13 to 18 that has
 * neither. The same scale gives the same rows everywhere; only password salts differ.
 * @throws RangeError for a scale out of range; Error where contrib is missing; pg's own error for a failed statement
 */
export async function loadSample(server: SampleServer, { scale, progress }: SampleOptions): Promise<Sample> {
  const size = volume(scale);
  {
    await using connection = await server.connect();
    progress('roles and databases');
    await connection.script(rolesSql());
    for (const statement of createDatabasesSql()) await connection.query(statement);
    await connection.script(databaseSettingsSql());
  }
  const shop = await fill(server, 'shop', 'shop_owner', shopParts(size), progress);
  const metrics = await fill(server, 'metrics', 'metrics_owner', metricsParts(size), progress);
  return { databases: [...databases], rows: shop + metrics };
}
