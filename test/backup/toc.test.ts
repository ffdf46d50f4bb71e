/** The table of contents of a dump, as pg_restore 15.18 printed it for the sample. */
import { expect, test } from 'vitest';
import { entriesOf, extensionStatements, fills, isExtension, isFoundation } from '../../src/backup/toc.ts';

const list = `;
; Archive created at 2026-11-21 00:30:50 UTC
;     dbname: metrics
;
; Selected TOC Entries:
;
3926; 1262 16392 DATABASE - metrics metrics_owner
3927; 0 0 COMMENT - DATABASE metrics metrics_owner
3928; 0 0 DATABASE PROPERTIES - metrics metrics_owner
15; 2615 19055 SCHEMA - Öffentliche Daten metrics_owner
3932; 0 0 ACL - SCHEMA "Öffentliche Daten" metrics_owner
2; 3079 18015 EXTENSION - btree_gist 
3933; 0 0 COMMENT - EXTENSION btree_gist 
3940; 0 0 ACL telemetry TABLE daily metrics_owner
245; 1259 19100 MATERIALIZED VIEW telemetry SCHEMA - trap metrics_owner
3946; 0 19100 MATERIALIZED VIEW DATA telemetry SCHEMA - trap metrics_owner
`;

test('the lines of entries, and which of them come before extensions', () => {
  const entries = entriesOf(list);
  expect(entries).toHaveLength(10);
  expect(entries.filter(isFoundation).map((line) => Number.parseInt(line, 10))).toEqual([
    3926, 3927, 3928, 15, 3932,
  ]);
  expect(entries.filter(isExtension).map((line) => Number.parseInt(line, 10))).toEqual([2]);
});

test('the entry that fills a materialized view is found by schema, name and owner together', () => {
  const entries = entriesOf(list);
  const view = { schema: 'telemetry', name: 'SCHEMA - trap', owner: 'metrics_owner' };
  expect(entries.filter((entry) => fills(entry, view)).map((line) => Number.parseInt(line, 10))).toEqual([
    3946,
  ]);
  expect(entries.some((entry) => fills(entry, { ...view, name: 'trap' }))).toBe(false);
  expect(entries.some((entry) => fills(entry, { ...view, owner: 'owner' }))).toBe(false);
});

test('statements that make extensions, with names that need quotes', () => {
  const script = `--
-- Name: hstore; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;


CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "Odd ""One""";
CREATE EXTENSION IF NOT EXISTS plpgsql;
`;
  expect(extensionStatements(script)).toEqual([
    { name: 'hstore', sql: 'CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public' },
    { name: 'uuid-ossp', sql: 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "Odd ""One"""' },
    { name: 'plpgsql', sql: 'CREATE EXTENSION IF NOT EXISTS plpgsql' },
  ]);
});
