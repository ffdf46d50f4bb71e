/** An extension that an upgrade broke, and could not mend. */
import type { ExtensionRecord } from '../../src/report/record-extensions.ts';

const tables = [{ name: 'public.pg_tviews_metadata', rows: 12 }];

export const brokenExtension: ExtensionRecord = {
  extension: 'pg_tviews',
  database: 'orders',
  before: { version: '1.0', schema: 'public', own: '1.0.3', errors: 0, tables },
  after: { version: '1.0', schema: 'public', own: null, errors: 1, tables },
  done: ['not updated from 1.0 to 1.1, as before: permission denied'],
  faults: [
    'version-sql fails: could not access file "$libdir/pg_tviews"',
    'errors-sql answers 1, and 0 before',
  ],
};
