/** Advice about BRIN indexes. */
import type { Advice } from './advice.ts';
import { indexesWhere, method, operatorClass, operatorClassNamed, rebuilt } from './advice-sql.ts';

/** A key column that is an expression has the number 0, and nobody knows whether it can be null. */
const nullable = `
  0 = ANY (x.indkey::pg_catalog.int2[]) OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = t.oid AND a.attnum = ANY (x.indkey::pg_catalog.int2[]) AND NOT a.attnotnull)`;

/** Nulls. */
export const brinNulls: Advice = {
  ...rebuilt,
  id: 'brin-null-handling',
  title: 'BRIN indexes on columns with nulls can miss rows',
  why: 'Older releases confused page ranges without rows with ranges of nulls only, and merged summaries of nulls wrongly. A search for IS NULL through such an index can miss rows.',
  todo: 'Rebuild the BRIN indexes that may serve a search for nulls: those on columns that can be null.',
  certainty: 'candidates',
  ...indexesWhere(`${method('brin')} AND (${nullable})`),
};

/** Distances of dates. */
export const brinDates: Advice = {
  ...rebuilt,
  id: 'brin-minmax-multi-date',
  title: 'BRIN minmax-multi indexes on dates are inefficient',
  why: 'Older releases computed the distance of two dates wrongly, so the index keeps poor ranges. Results are right, searches read more than they must.',
  todo: 'Rebuild the BRIN indexes with date_minmax_multi_ops when it suits.',
  certainty: 'exact',
  ...indexesWhere(`${method('brin')} AND ${operatorClassNamed('date_minmax_multi_ops')}`),
};

/** Distances of timestamps. */
export const brinTimestamps: Advice = {
  ...rebuilt,
  id: 'brin-minmax-multi-timestamp',
  title: 'BRIN minmax-multi indexes on timestamps may be inefficient',
  why: 'Older releases computed the distance to infinite and extreme timestamps wrongly, so an index over such values keeps poor ranges. Results are right.',
  todo: 'Rebuild the BRIN indexes with timestamp_minmax_multi_ops or timestamptz_minmax_multi_ops where the column holds, or once held, infinity or extreme values.',
  certainty: 'candidates',
  ...indexesWhere(
    `${method('brin')} AND ${operatorClassNamed('timestamp_minmax_multi_ops', 'timestamptz_minmax_multi_ops')}`,
  ),
};

/** Merged bloom filters. */
export const brinBloom: Advice = {
  ...rebuilt,
  id: 'brin-bloom-union',
  title: 'BRIN bloom indexes can miss rows',
  why: 'Older releases could lose values when they merged two bloom filters: seldom before 17, and more likely where 17 built the index in parallel. Searches can miss rows.',
  todo: 'Rebuild the BRIN indexes with a bloom operator class.',
  certainty: 'candidates',
  ...indexesWhere(`${method('brin')} AND ${operatorClass(`oc.opcname ~ '_bloom_ops$'`)}`),
};

/** Distances of numerics. */
export const brinNumerics: Advice = {
  ...rebuilt,
  id: 'brin-numeric-minmax-multi',
  title: 'BRIN minmax-multi indexes on numeric are inefficient',
  why: 'Older releases computed the distance of two numeric values wrongly, so the index keeps poor ranges and can grow. Results are right, searches read more than they must.',
  todo: 'Rebuild the BRIN indexes with numeric_minmax_multi_ops when it suits.',
  certainty: 'exact',
  ...indexesWhere(`${method('brin')} AND ${operatorClassNamed('numeric_minmax_multi_ops')}`),
};
