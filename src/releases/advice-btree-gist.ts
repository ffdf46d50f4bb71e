/** Advice about GiST indexes with the operator classes of btree_gist. */
import type { Advice } from './advice.ts';
import { indexesWhere, method, operatorClassNamed } from './advice-sql.ts';

const index = { timing: 'after', scope: 'database', rebuiltByRestore: true } as const;

/** Blanks of char(n). */
export const btreeGistChar: Advice = {
  ...index,
  id: 'btree-gist-char-trailing-spaces',
  title: 'btree_gist indexes on char(n) return values without their blanks',
  why: 'Older releases stored char(n) without trailing blanks, so an index-only scan returns the shorter text. Searches find all rows.',
  todo: 'Rebuild these indexes if an application minds the missing blanks.',
  certainty: 'candidates',
  ...indexesWhere(`${method('gist')} AND ${operatorClassNamed('gist_bpchar_ops')}`),
  remedy: null,
};

/** NaN. */
export const btreeGistNan: Advice = {
  ...index,
  id: 'btree-gist-float-nan',
  title: 'btree_gist indexes on floating-point columns with NaN can give wrong results',
  why: 'Older releases compared NaN wrongly in such an index, so searches through it can give wrong results.',
  todo: 'Rebuild the btree_gist indexes on real and double precision columns that may hold NaN.',
  certainty: 'candidates',
  ...indexesWhere(`${method('gist')} AND ${operatorClassNamed('gist_float4_ops', 'gist_float8_ops')}`),
  remedy: { kind: 'statements' },
};

/** Order of bit strings. */
export const btreeGistBits: Advice = {
  ...index,
  id: 'btree-gist-bit-order',
  title: 'btree_gist indexes on bit strings that 18.0 to 18.4 built are inefficient',
  why: 'These releases sorted bit strings in a wrong order when they built such an index. Results are right, searches read more than they must.',
  todo: 'Rebuild the btree_gist indexes on bit and bit varying columns when it suits.',
  certainty: 'exact',
  ...indexesWhere(`${method('gist')} AND ${operatorClassNamed('gist_bit_ops', 'gist_vbit_ops')}`),
  remedy: { kind: 'statements' },
};
