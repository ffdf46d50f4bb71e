/** On a healthy database no advice speaks up, on any major, and every statement runs. */
import { expect, test } from 'vitest';
import { testServer } from '../support/servers.ts';
import { findings, runAll } from './asking.ts';

/** What looks much like the faults that advice is about; indexes have a test of their own. */
const healthy = [
  'CREATE TABLE ref (id int PRIMARY KEY) PARTITION BY RANGE (id)',
  'CREATE TABLE ref1 PARTITION OF ref FOR VALUES FROM (0) TO (100)',
  'CREATE TABLE ref2 PARTITION OF ref FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id)',
  'CREATE TABLE ref2a PARTITION OF ref2 FOR VALUES FROM (100) TO (150)',
  'CREATE TABLE alone (id int REFERENCES ref)',
  'CREATE TABLE fk (id int REFERENCES ref DEFERRABLE) PARTITION BY RANGE (id)',
  'CREATE TABLE fk1 PARTITION OF fk FOR VALUES FROM (0) TO (100)',
  'CREATE TABLE later (id int)',
  'ALTER TABLE fk ATTACH PARTITION later FOR VALUES FROM (100) TO (200)',
  'CREATE TABLE ref3 PARTITION OF ref FOR VALUES FROM (200) TO (300)',
  'ALTER TABLE ref DETACH PARTITION ref3',
  'CREATE TABLE empty (id int PRIMARY KEY, up int REFERENCES empty) PARTITION BY RANGE (id)',
  'CREATE TABLE self (id int PRIMARY KEY, up int) PARTITION BY RANGE (id)',
  'CREATE TABLE self1 PARTITION OF self FOR VALUES FROM (0) TO (100)',
  'CREATE TABLE self2 PARTITION OF self FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id)',
  'CREATE TABLE self2a PARTITION OF self2 FOR VALUES FROM (100) TO (200)',
  'ALTER TABLE self ADD FOREIGN KEY (up) REFERENCES self',
  'CREATE TABLE plain (id int PRIMARY KEY, up int REFERENCES plain)',
  'CREATE TABLE cascades (id int REFERENCES plain ON DELETE CASCADE DEFERRABLE)',
  'CREATE TABLE old_parent (id int)',
  'CREATE TABLE old_child () INHERITS (old_parent)',
  'CREATE ROLE reader',
  'CREATE TABLE open (id int, secret text)',
  'CREATE TABLE granted (id int, secret text)',
  'GRANT SELECT (id) ON granted TO reader',
  'CREATE VIEW over_open AS SELECT * FROM open',
  'CREATE EXTENSION hstore',
  `SELECT pg_create_logical_replication_slot('fine', 'pgoutput')`,
];

test.each(['13.23', '14.23', '15.17', '16.14', '17.10', '18.4'])('%s', async (version) => {
  await using server = await testServer(version, {
    settings: { wal_level: 'logical', max_prepared_transactions: '0' },
  });
  // initdb's own databases: nothing at all, and the templates, which some advice is about.
  expect(await findings(server, 'postgres')).toEqual({});
  expect(await findings(server, 'template1')).toEqual({});
  await runAll(server, 'postgres', healthy);
  const found = await findings(server, 'postgres');
  // Where the catalog does not tell, each index is listed: here those of primary keys.
  const unknown = ['cic-insert-race', 'cic-missing-rows-14'];
  expect(Object.keys(found).filter((id) => !unknown.includes(id))).toEqual([]);
  expect(unknown.map((id) => found[id]?.map(({ object }) => object))).toEqual(
    unknown.map(() => [
      'public.plain_pkey',
      'public.ref1_pkey',
      'public.ref2a_pkey',
      'public.ref3_pkey',
      'public.self1_pkey',
      'public.self2a_pkey',
    ]),
  );
});
