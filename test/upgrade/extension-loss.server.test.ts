/** Loading an extension anew is refused where anything of others would go with it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { own, type Programs, programsWith } from '../support/extension/programs.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { failureOf } from '../support/targets.ts';
import { shop, spoil } from './extension-support.ts';

let programs: Programs;
let server: TestServer;

beforeAll(async () => {
  programs = await programsWith('15.18');
  server = await testServer('15.18', { binaries: programs.binaries });
  // An update would mend it before anything has to be loaded anew.
  await writeFile(join(programs.extensions, `${own}--1.0--1.1.sql`), 'SELECT 1/0;');
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await programs?.[Symbol.asyncDispose]();
});

const lost: [string, string, string][] = [
  [
    'rows in its table',
    "INSERT INTO pgu_views_metadata VALUES ('a')",
    'the table public.pgu_views_metadata holds rows',
  ],
  [
    'a view on its table',
    'CREATE VIEW mine AS SELECT name FROM pgu_views_metadata',
    'view public.mine depends on',
  ],
  [
    'a column by its function',
    'CREATE TABLE mine (v text DEFAULT pgu_views_version())',
    'depends on function',
  ],
  ['an index on its table', 'CREATE INDEX mine ON pgu_views_metadata (last_error)', 'index public.mine'],
  [
    'a grant on its function',
    'CREATE ROLE reader; GRANT EXECUTE ON FUNCTION pgu_views_version() TO reader',
    'function public.pgu_views_version(): privileges',
  ],
  [
    'a grant that was taken away',
    'REVOKE ALL ON FUNCTION pgu_views_refresh(text) FROM public',
    'function public.pgu_views_refresh(pg_catalog.text): privileges',
  ],
  [
    'a grant on a column',
    'GRANT SELECT (name) ON pgu_views_metadata TO public',
    'table public.pgu_views_metadata: column name',
  ],
  [
    'a comment',
    "COMMENT ON TABLE pgu_views_metadata IS 'ours'",
    'table public.pgu_views_metadata: comment ours',
  ],
  [
    'another owner',
    'CREATE ROLE boss; ALTER TABLE pgu_views_metadata OWNER TO boss',
    'table public.pgu_views_metadata: owner boss',
  ],
  ['a setting of a table', 'ALTER TABLE pgu_views_metadata SET (fillfactor = 50)', 'fillfactor=50'],
  ['a setting of a function', 'ALTER FUNCTION pgu_views_refresh(text) SET work_mem = 64', 'work_mem=64'],
  ['a column', 'ALTER TABLE pgu_views_metadata ADD COLUMN mine int', 'column mine integer'],
  [
    'a trigger',
    'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$; CREATE TRIGGER mine BEFORE INSERT ON pgu_views_metadata FOR EACH ROW EXECUTE FUNCTION f()',
    'trigger mine on public.pgu_views_metadata',
  ],
  [
    'a policy',
    'CREATE POLICY mine ON pgu_views_metadata USING (true)',
    'policy mine on public.pgu_views_metadata',
  ],
  [
    'a place in a publication',
    'CREATE PUBLICATION mine FOR TABLE pgu_views_metadata',
    'publication relation public.pgu_views_metadata in publication mine',
  ],
  [
    'statistics',
    'CREATE STATISTICS mine ON name, last_error FROM pgu_views_metadata',
    'statistics object public.mine',
  ],
];

test.each(lost)('is not loaded anew where that would take along %s', async (_name, plant, named) => {
  await using here = await shop(server, "CREATE EXTENSION pgu_views VERSION '1.0'");
  try {
    await here.sql(`${plant}; ${spoil}`);
    const inventory = () =>
      here.rows(
        'SELECT classid, objid, objsubid, refclassid, refobjid, deptype FROM pg_depend WHERE objid > 16384 ORDER BY 1, 2, 3, 4, 5, 6',
      );
    const before = await inventory();
    const failure = await failureOf(here.run());
    expect(failure).toMatchObject({ code: 'extension-reload-refused' });
    expect(failure.hint).toContain(named);
    expect(await inventory()).toEqual(before);
    expect(here.here.run.recorder.record.extensions[0]?.faults).toEqual([
      'version-sql fails: division by zero',
    ]);
  } finally {
    await here.sql('DROP OWNED BY reader; DROP ROLE reader').catch(() => {});
    await here.sql('REASSIGN OWNED BY boss TO postgres; DROP ROLE boss').catch(() => {});
  }
});
