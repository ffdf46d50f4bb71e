/** Rows of the key table for reports that have no room for sections: releases, advice, the user's own SQL. */
import { countAdvice } from './advice.ts';
import { countExtensions } from './extension-words.ts';
import { plural } from './format.ts';
import type { KeyFact } from './overview.ts';
import { countQueries } from './query-results.ts';
import type { UpgradeRecord } from './record.ts';
import { rehearsalWords } from './rehearsal-words.ts';
import { cveHeadline, lineOf } from './release-words.ts';
import { watchWords } from './watch-words.ts';

/** Nothing for what the run did not look at. */
export function furtherFacts(record: UpgradeRecord): KeyFact[] {
  const { release, advice, queries, facts, extensions } = record;
  const rows: [string, string | null][] = [
    ['Release line', release && lineOf(record)],
    ['Security fixes', release && cveHeadline(release)],
    ['Release notes', release || advice.length > 0 ? notesWords(record) : null],
    ['Your own SQL', queries.length > 0 ? countQueries(queries) : null],
    ['Extensions', extensions.length > 0 ? countExtensions(extensions) : null],
    ['Before and after', alertWords(facts)],
    ['Observed', watchWords(record)],
    ['Rehearsal', record.rehearsal || record.rehearsed ? rehearsalWords(record) : null],
  ];
  return rows.flatMap(([label, value]) =>
    value === null || value === '' ? [] : [{ label, value: [value] }],
  );
}

/** Where no advice is known, that nothing was found says little. */
function notesWords({ release, advice }: UpgradeRecord): string {
  const unknown = advice.length === 0 && release !== null && release.mustRead.length > 0;
  return `${countAdvice(advice)}${unknown ? '; no advice is known for this way: read the notes' : ''}`;
}

function alertWords(facts: UpgradeRecord['facts']): string | null {
  const alerts = facts.filter(({ verdict }) => verdict === 'alert').length;
  return alerts === 0 ? null : `${plural(facts.length, 'fact')} compared, ${plural(alerts, 'alert')}`;
}
