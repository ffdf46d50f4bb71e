/** Advice about GiST indexes, also those of ltree and pg_trgm. */
import type { Advice } from './advice.ts';
import { indexesWhere, method, operatorClassNamed, rebuilt } from './advice-sql.ts';

/** Concurrent inserts. */
export const gistInserts: Advice = {
  ...rebuilt,
  id: 'gist-concurrent-insert-split',
  title: 'GiST indexes may be damaged by concurrent inserts',
  why: 'In older releases an insert could fail to notice that another one had just split a page, and put its entry into the wrong page. Searches through the index can then miss rows.',
  todo: 'Rebuild the GiST indexes of tables that several sessions insert into.',
  certainty: 'candidates',
  ...indexesWhere(method('gist')),
};

/** Splits that split again. */
export const gistSplits: Advice = {
  ...rebuilt,
  id: 'gist-recursive-split',
  title: 'GiST indexes can miss rows',
  why: 'In older releases a page split that led to further splits, as while an index was built, could lose its place in the parent page. Searches can then give wrong results.',
  todo: 'Rebuild all GiST indexes.',
  certainty: 'candidates',
  ...indexesWhere(method('gist')),
};

/** Size of signatures of ltree. */
export const gistLtree: Advice = {
  ...rebuilt,
  id: 'gist-ltree-signature',
  title: 'GiST indexes on ltree are likely damaged',
  why: 'Older releases took the wrong length for the signatures of such an index; very likely where the extension ltree was still older than 1.2. Searches can miss rows.',
  todo: 'Rebuild the GiST indexes on ltree columns.',
  certainty: 'candidates',
  ...indexesWhere(`${method('gist')} AND ${operatorClassNamed('gist_ltree_ops')}`),
};

/** Format of trigram keys. */
export const gistTrigrams: Advice = {
  ...rebuilt,
  id: 'pg-trgm-gist-format-flag',
  title: 'GiST indexes of pg_trgm can miss rows',
  why: 'Older releases could mark a key of such an index with the wrong format. Searches through it can miss rows.',
  todo: 'Rebuild the GiST indexes with gist_trgm_ops.',
  certainty: 'exact',
  ...indexesWhere(`${method('gist')} AND ${operatorClassNamed('gist_trgm_ops')}`),
};
