/** The health diff: what must be the same after the upgrade, what may differ, and what did. */

import { countFacts } from './fact-words.ts';
import { plural } from './format.ts';
import { twoBars } from './html-bars.ts';
import { badge, code, folded, lines, section, table, titled } from './html-parts.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import { changeOf, formatMeasure } from './measure.ts';
import type { FactRecord, UpgradeRecord } from './record.ts';

/** Differences by verdict; equal facts, a long list of expected ones and, after a success, what was not compared are folded. */
export function factsSection({ facts, result }: UpgradeRecord): Markup | null {
  if (facts.length === 0) return null;
  const of = (verdict: FactRecord['verdict']): FactRecord[] =>
    facts.filter((fact) => fact.verdict === verdict);
  const equal = of('equal');
  const expected = of('expected');
  const notCompared = of('not-compared');
  return section(
    'facts',
    'Before and after',
    html`<p>${countFacts(facts)}.</p>${group('Unexpected', of('unexpected'))}${group('Alerts', of('alert'))}${
      expected.length > 8
        ? folded(`${plural(expected.length, 'fact')} changed as expected`, factTable('Expected', expected))
        : group('Expected', expected)
    }${
      result === 'success' && notCompared.length > 0
        ? folded(`${plural(notCompared.length, 'fact')} not compared`, factTable('Not compared', notCompared))
        : group('Not compared', notCompared)
    }${
      equal.length > 0 &&
      folded(`${plural(equal.length, 'fact')} equal before and after`, factTable('Equal', equal))
    }`,
  );
}

function group(title: string, facts: readonly FactRecord[]): Markup | null {
  return titled(`${title} (${facts.length})`, facts.length === 0 ? null : factTable(title, facts));
}

function factTable(label: string, facts: readonly FactRecord[]): Markup {
  const measured = facts.some(({ measure }) => measure !== null);
  const head = ['Fact', 'Before', 'After', ...(measured ? ['Change'] : []), 'Why, and how it may change'];
  const rows = facts.map((fact) => [
    html`${fact.name}<span class="under">${fact.group}</span>`,
    ...values(fact),
    ...(measured ? [change(fact)] : []),
    html`${fact.why}<span class="under">${fact.rule}</span>`,
  ]);
  return table(label, head, rows);
}

function values({ before, after, measure, verdict }: FactRecord): [Insertable, Insertable] {
  // What was not compared was perhaps not read: that is not the same as nothing.
  const none = verdict === 'not-compared' ? '' : 'nothing';
  if (measure === null) return [code(before) ?? none, code(after) ?? none];
  return [formatMeasure(measure.before, measure.unit), formatMeasure(measure.after, measure.unit)];
}

function change({ measure }: FactRecord): Insertable {
  return measure && html`${twoBars(measure)}${changeOf(measure) ?? ''}`;
}

/** Facts in a line each, for the top of the page; the table has the rest. */
export function factList(facts: readonly FactRecord[], weight: 'strong' | 'medium'): Markup | null {
  return lines(
    facts.map((fact) => {
      const [before, after] = values(fact);
      const changed = fact.measure && changeOf(fact.measure);
      return html`${badge(fact.verdict, weight)} <span class="title">${fact.name}</span> <span class="soft">${fact.group}</span>
<p>${before} → ${after}${changed && ` (${changed})`}${fact.why && html`: ${fact.why}`}</p><p class="soft">${fact.rule}</p>`;
    }),
    'checks',
  );
}
