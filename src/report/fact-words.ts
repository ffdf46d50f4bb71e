/** The verdicts of the comparison, in order and counted. */
import { plural } from './format.ts';
import type { FactRecord } from './record.ts';

/** Unexpected ones first, equal ones last. */
export const VERDICTS = ['unexpected', 'alert', 'expected', 'not-compared', 'equal'] as const;

/** `1 unexpected, 2 alerts, 3 expected, 1 not compared, 40 equal` */
export function countFacts(facts: readonly FactRecord[]): string {
  return VERDICTS.flatMap((verdict) => {
    const count = facts.filter((fact) => fact.verdict === verdict).length;
    if (count === 0) return [];
    return [verdict === 'alert' ? plural(count, 'alert') : `${count} ${verdict.replace('-', ' ')}`];
  }).join(', ');
}
