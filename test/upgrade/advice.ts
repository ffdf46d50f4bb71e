/** A piece of advice for tests of what follows from it. */
import type { AdviceRecord } from '../../src/report/record-release.ts';

/** Advice that was found to apply. */
export function applying(id: string, changes: Partial<AdviceRecord> = {}): AdviceRecord {
  return {
    id,
    title: `Title of ${id}`,
    fixedIn: '15.19',
    why: 'why',
    todo: `mend ${id}`,
    timing: 'after',
    certainty: 'exact',
    state: 'applies',
    by: 'action',
    objects: [{ database: null, name: 'wal2json', sql: null, detail: null, state: 'found' }],
    total: 1,
    seen: [],
    link: 'https://example.com/',
    ...changes,
  };
}
