/** Advice about indexes whose order or equality of keys was wrong: btree and hash, by the type of a key. */
import type { Advice } from './advice.ts';
import { indexesWhere, method, operatorClass, operatorClassNamed, rebuilt } from './advice-sql.ts';

/** Deduplicated intervals. */
export const btreeInterval: Advice = {
  ...rebuilt,
  id: 'btree-interval-dedup',
  title: 'B-tree indexes on interval return wrong values',
  why: 'Older releases merged intervals that are equal but not the same (24 hours, 1 day). An index-only scan can return the other one, and the amcheck of newer releases reports nearly all such indexes.',
  todo: 'Rebuild the B-tree indexes with an interval column.',
  certainty: 'exact',
  ...indexesWhere(
    `${method('btree')} AND ${operatorClass(`oc.opcintype = 'pg_catalog.interval'::pg_catalog.regtype`)}`,
  ),
};

/** A length makes equal values identical; it stands with the index column or with the domain that it is of. */
const withoutLength = `
  ${operatorClass(`oc.opcintype = 'pg_catalog.bpchar'::pg_catalog.regtype`)} AND EXISTS (SELECT FROM pg_catalog.unnest(x.indclass::pg_catalog.oid[]) WITH ORDINALITY AS u(opclass, number)
          JOIN pg_catalog.pg_opclass AS oc ON oc.oid = u.opclass
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.oid AND a.attnum = u.number
          JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
          WHERE oc.opcintype = 'pg_catalog.bpchar'::pg_catalog.regtype AND a.atttypmod = -1 AND y.typtypmod = -1)`;

/** Deduplicated bpchar. */
export const btreeBpchar: Advice = {
  ...rebuilt,
  id: 'bpchar-btree-dedup',
  title: 'B-tree indexes on bpchar without a length return wrong blanks',
  why: 'Older releases merged values that differ only in trailing blanks, so an index-only scan can return the other number of blanks. Columns char(n) are safe.',
  todo: 'Rebuild the B-tree indexes with a bpchar column that has no length.',
  certainty: 'exact',
  ...indexesWhere(`${method('btree')} AND ${withoutLength}`),
};

/** Long ltree. */
export const ltreeLabels: Advice = {
  ...rebuilt,
  id: 'ltree-many-labels-overflow',
  title: 'B-tree indexes on ltree values with very many labels may be in a wrong order',
  why: 'Older releases compared values with more than about 14,653 labels wrongly. Such values can be out of order in an index, so searches miss rows.',
  todo: 'Rebuild the B-tree indexes on ltree columns that hold such values; max(nlevel(column)) tells.',
  certainty: 'candidates',
  ...indexesWhere(`${method('btree')} AND ${operatorClassNamed('ltree_ops')}`),
};

/** Which provider a database has is recorded from 15 on; before, all had libc. */
const libc = `COALESCE(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'`;

/** Case of ltree. */
export const ltreeCase: Advice = {
  ...rebuilt,
  id: 'ltree-casefold',
  title: 'Indexes on ltree can miss rows',
  why: 'Up to 18.1 the functions behind such indexes folded the case of labels in another way than the operators, unless the database sorts by libc in a single-byte encoding. Later releases fold it as the collation of the database does, and do not find all that older indexes hold.',
  todo: 'Rebuild all indexes on ltree columns.',
  certainty: 'exact',
  ...indexesWhere(`
  ${operatorClass(
    `EXISTS (SELECT FROM pg_catalog.pg_type AS y WHERE y.oid = oc.opcintype AND y.typname IN ('ltree', '_ltree'))`,
  )}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
                  AND ${libc} AND pg_catalog.pg_encoding_max_length(d.encoding) = 1)`),
};

const mixed = (collate: string, ctype: string): string =>
  `${ctype} IN ('C', 'POSIX') AND ${collate} NOT IN ('C', 'POSIX')`;

/** Order of text. A column has its own collation, or the database's. */
export const mixedLocale: Advice = {
  ...rebuilt,
  id: 'lc-ctype-c-collate-other',
  title: 'Text indexes under LC_CTYPE C with another LC_COLLATE are in a wrong order',
  why: '17.0 sorted text by LC_CTYPE where that is C or POSIX and LC_COLLATE is not. Later releases sort by LC_COLLATE again and do not find everything in indexes of 17.0.',
  todo: 'Rebuild the indexes on text columns of such databases and collations.',
  certainty: 'exact',
  ...indexesWhere(`
  EXISTS (SELECT FROM pg_catalog.unnest(x.indcollation::pg_catalog.oid[]) AS u(coll)
          JOIN pg_catalog.pg_collation AS c ON c.oid = u.coll
          JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
          WHERE CASE c.collprovider
                WHEN 'd' THEN ${libc} AND ${mixed('d.datcollate', 'd.datctype')}
                WHEN 'c' THEN ${mixed('c.collcollate', 'c.collctype')} END)`),
};

/** Hashed NaN. */
export const hashNan: Advice = {
  ...rebuilt,
  id: 'hash-float-nan',
  title: 'Hash indexes on floating-point columns with NaN can miss rows',
  why: 'Older releases gave different hashes to NaN values of different bits, although all are equal. Searches for NaN can miss rows.',
  todo: 'Rebuild the hash indexes on real and double precision columns that may hold NaN.',
  certainty: 'candidates',
  ...indexesWhere(
    `${method('hash')} AND ${operatorClass(
      `oc.opcintype IN ('pg_catalog.float4'::pg_catalog.regtype, 'pg_catalog.float8'::pg_catalog.regtype)`,
    )}`,
  ),
};
