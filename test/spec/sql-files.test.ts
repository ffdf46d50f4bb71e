import { expect, it } from 'vitest';
import { sqlFilesOf } from '../../src/spec/sql-files.ts';
import { specWith } from './specs.ts';

it('every file of SQL that a target names is one that is read, and that a pull request may change', () => {
  const spec = specWith(`health: [ops/a.sql]
rehearsal: { smoke: [ops/b.sql] }
extensions:
  hstore: { smoke: [ops/c.sql] }
  pg_trgm: { smoke: [{ file: ops/d.sql, read-only: false }] }
`);
  expect(sqlFilesOf(spec).map(({ file }) => file)).toEqual([
    'ops/a.sql',
    'ops/b.sql',
    'ops/c.sql',
    'ops/d.sql',
  ]);
});
