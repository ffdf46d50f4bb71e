/** Indexes that advice must find, each with the ids of what must find it, and indexes that look much like them. */

/** `since`: the first major that knows the operator class. */
export interface PlantedIndex {
  name: string;
  on: string;
  ids: string[];
  since?: number;
}

/** A name that wants to be more than data. */
export const hostile = `"we|ird\n<script>"`;

/** Tables in the schema `s` of a database. */
export const tables = [
  'CREATE SCHEMA s',
  ...['btree_gist', 'ltree', 'pg_trgm'].map((name) => `CREATE EXTENSION ${name}`),
  'CREATE DOMAIN s.padded AS char(5)',
  `CREATE TABLE s.t (i int NOT NULL, n int, iv interval, b bpchar, c char(5), d s.padded, f float8, r real, p point,
     l ltree, ls ltree[], tx text, bits bit(3), vbits varbit, a int[], day date, ts timestamp, tz timestamptz,
     num numeric)`,
  `INSERT INTO s.t (i, f, l, a, tx) VALUES (1, 'NaN', 'a.b', '{1}', 'x')`,
  `CREATE TABLE s.${hostile} (p point, f float8)`,
  'CREATE TABLE s.part (i int, p point) PARTITION BY RANGE (i)',
  'CREATE TABLE s.part1 PARTITION OF s.part FOR VALUES FROM (0) TO (9)',
  'CREATE INDEX part_p ON s.part USING gist (p)',
];

const gist = ['gist-concurrent-insert-split', 'gist-recursive-split'];
const gin = ['gin-incomplete-split-lock', 'gin-vacuum-missed-entries'];
const ltree = 'ltree-casefold';

/** What is created in `tables`' schema. */
export const indexes: PlantedIndex[] = [
  { name: 'btree_iv', on: 't (iv)', ids: ['btree-interval-dedup'] },
  { name: 'btree_iv2', on: `t (i, (iv + '1 day'::interval))`, ids: ['btree-interval-dedup'] },
  { name: 'btree_b', on: 't (b)', ids: ['bpchar-btree-dedup'] },
  { name: 'btree_b2', on: 't (i, (tx::bpchar))', ids: ['bpchar-btree-dedup'] },
  { name: 'btree_c', on: 't (c)', ids: [] },
  { name: 'btree_d', on: 't (d)', ids: [] },
  { name: 'btree_tx', on: 't (tx)', ids: [] },
  { name: 'hash_f', on: 't USING hash (f)', ids: ['hash-float-nan'] },
  { name: 'hash_r', on: 't USING hash (r)', ids: ['hash-float-nan'] },
  { name: 'hash_i', on: 't USING hash (i)', ids: [] },
  { name: 'btree_f', on: 't (f)', ids: [] },
  { name: 'gist_p', on: 't USING gist (p)', ids: gist },
  { name: 'btree_l', on: 't (l)', ids: ['ltree-many-labels-overflow', ltree] },
  { name: 'gist_l', on: 't USING gist (l)', ids: [...gist, 'gist-ltree-signature', ltree] },
  { name: 'gist_ls', on: 't USING gist (ls)', ids: [...gist, ltree] },
  { name: 'gist_tx', on: 't USING gist (tx gist_trgm_ops)', ids: [...gist, 'pg-trgm-gist-format-flag'] },
  { name: 'gist_c', on: 't USING gist (c)', ids: [...gist, 'btree-gist-char-trailing-spaces'] },
  { name: 'gist_f', on: 't USING gist (f)', ids: [...gist, 'btree-gist-float-nan'] },
  { name: 'gist_r', on: 't USING gist (r)', ids: [...gist, 'btree-gist-float-nan'] },
  { name: 'gist_bits', on: 't USING gist (bits)', ids: [...gist, 'btree-gist-bit-order'] },
  { name: 'gist_vbits', on: 't USING gist (i, vbits)', ids: [...gist, 'btree-gist-bit-order'] },
  { name: 'gin_a', on: 't USING gin (a)', ids: gin },
  { name: 'brin_i', on: 't USING brin (i)', ids: [] },
  { name: 'brin_n', on: 't USING brin (n)', ids: ['brin-null-handling'] },
  { name: 'brin_x', on: 't USING brin ((i + n))', ids: ['brin-null-handling'] },
  {
    name: 'brin_day',
    on: 't USING brin (day date_minmax_multi_ops)',
    ids: ['brin-null-handling', 'brin-minmax-multi-date'],
    since: 14,
  },
  {
    name: 'brin_ts',
    on: 't USING brin (ts timestamp_minmax_multi_ops)',
    ids: ['brin-null-handling', 'brin-minmax-multi-timestamp'],
    since: 14,
  },
  {
    name: 'brin_tz',
    on: 't USING brin (tz timestamptz_minmax_multi_ops)',
    ids: ['brin-null-handling', 'brin-minmax-multi-timestamp'],
    since: 14,
  },
  {
    name: 'brin_num',
    on: 't USING brin (num numeric_minmax_multi_ops)',
    ids: ['brin-null-handling', 'brin-numeric-minmax-multi'],
    since: 14,
  },
  {
    name: 'brin_bloom',
    on: 't USING brin (i int4_bloom_ops)',
    ids: ['brin-bloom-union'],
    since: 14,
  },
  { name: hostile.replace('we', 'i'), on: `${hostile} USING gist (p)`, ids: gist },
];

/** Which advice looks at every index: the catalog does not say how one was built. */
export const anyIndex = ['cic-prepared-xacts', 'cic-insert-race', 'cic-missing-rows-14'];

/** The fix of an ordinary index. */
export function rebuild(name: string): string {
  return `REINDEX INDEX CONCURRENTLY s.${name};`;
}

/** What each piece of advice must find among `indexes` on a major, and in the partition of `tables`. */
export function expectedIndexes(major: number): Record<string, string[]> {
  const all = [...indexes, { name: 'part1_p_idx', on: '', ids: gist, since: 13 }].filter(
    ({ since }) => major >= (since ?? 13),
  );
  const ids = new Set(all.flatMap((each) => [...each.ids, ...anyIndex]));
  return Object.fromEntries(
    [...ids].map((id) => [
      id,
      all
        .filter((each) => each.ids.includes(id) || anyIndex.includes(id))
        .map(({ name }) => `s.${name}`)
        .sort((a, b) => (a < b ? -1 : 1)),
    ]),
  );
}
