import { expect, test } from 'vitest';
import { notProvedHint } from '../../src/upgrade/backup-step.ts';
import { backup } from '../report/fixture-parts.ts';

if (!backup) throw new Error('the fixture has no backup');
const proof = { ...backup.proof, restoredInto: '15.18', verdict: 'failed' as const };

const left =
  'The report has every difference (2). Nothing was changed. The backup was kept for a look and must not be relied on.';

test.each([
  'pg_restore: error: could not execute query: ERROR:  extension "pg_tviews" is not available',
  'pg_restore: error: could not execute query: ERROR:  could not open extension control file "/usr/share/postgresql/14/extension/pg_tviews.control": No such file or directory',
])('an extension that the scratch server lacks is not the fault of the backup: %s', (line) => {
  expect(
    notProvedHint({ ...proof, differences: ['The dump of shop could not be restored into 15.18.', line] }),
  ).toBe(
    `The server that it was restored into (15.18) has no files of the extension pg_tviews, which says nothing about the backup: install its package there, or upgrade with backup.prove: checksum. ${left}`,
  );
});

test('anything else is', () => {
  expect(
    notProvedHint({ ...proof, differences: ['shop: public.orders has 5 rows', 'its restored copy 4'] }),
  ).toBe(left);
});
