/** A database with the test extension, and a run that looks after it. */
import type { Mode } from '../../src/report/record.ts';
import { noteExtensions } from '../../src/upgrade/extension-before.ts';
import { extensionsStep } from '../../src/upgrade/extensions-step.ts';
import { stepRun } from '../../src/upgrade/target.ts';
import type { TestServer } from '../support/servers.ts';
import { type World, world } from './world.ts';

export const views = `extensions:
  pgu_views:
    version-sql: SELECT pgu_views_version()
    errors-sql: SELECT count(*) FROM pgu_views_metadata WHERE last_error IS NOT NULL
`;
export const mended = `${views}    reinstall: if-needed\n`;

/** What a library that does not fit any more looks like, without a library. */
export const spoil = `CREATE OR REPLACE FUNCTION public.pgu_views_version() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT (1/0)::text$$`;

export interface Shop extends AsyncDisposable {
  here: World;
  database: string;
  sql(text: string): Promise<void>;
  rows(text: string): Promise<Record<string, unknown>[]>;
  /** The version in pg_extension; null where it is not there. */
  version(extension?: string): Promise<string | null>;
  /** What the journal keeps from before. */
  note(): Promise<void>;
  run(): Promise<unknown>;
  undo(): Promise<void>;
  notes(): string[];
}

let count = 0;

/** A new database, in which `setup` was run; the world's connection leads to it. */
export async function shop(
  server: TestServer,
  setup: string,
  options: { spec?: string; mode?: Mode; journal?: readonly object[]; files?: Record<string, string> } = {},
): Promise<Shop> {
  count += 1;
  const database = `shop ${count}; "DROP`;
  const quoted = `"${database.replaceAll('"', '""')}"`;
  await using main = await server.connect('postgres');
  await main.script(`CREATE DATABASE ${quoted}`);
  const here = await world({ spec: options.spec ?? mended, ...options });
  here.run.settings = server.settings(database);
  here.run.context = { ...here.run.context, files: new Map(Object.entries(options.files ?? {})) };
  const rows: Shop['rows'] = async (text) => {
    await using connection = await server.connect(database);
    return await connection.query(text);
  };
  const sql: Shop['sql'] = async (text) => {
    await using connection = await server.connect(database);
    await connection.script(text);
  };
  await sql(setup);
  const record = () => here.run.recorder.startStep('extensions', 'Extensions');
  return {
    here,
    database,
    sql,
    rows,
    async version(extension = 'pgu_views') {
      const [row] = await rows(
        `SELECT extversion AS version FROM pg_catalog.pg_extension WHERE extname = '${extension}'`,
      );
      return (row?.version as string | undefined) ?? null;
    },
    note: () => noteExtensions(here.run),
    run: () => extensionsStep(here.run).run(stepRun(here.run, record(), true)),
    async undo() {
      await extensionsStep(here.run).undo?.(stepRun(here.run, record(), false));
    },
    notes: () => here.run.recorder.record.steps.at(-1)?.output ?? [],
    async [Symbol.asyncDispose]() {
      here[Symbol.dispose]();
      await using again = await server.connect('postgres');
      await again.script(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
    },
  };
}
