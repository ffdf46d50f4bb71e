/**
 * The summary of a job on GitHub. GitHub drops a summary of more than 1 MiB whole, so there is a ladder of shorter
 * forms, and each says what it leaves out.
 */
import { clip } from './escape.ts';
import { plural } from './format.ts';
import { furtherFacts } from './further-facts.ts';
import { downtimeOf, keyFacts, outcomeOf, versionsOf } from './overview.ts';
import type { UpgradeRecord } from './record.ts';
import { attention } from './summary-attention.ts';
import { cut, notice } from './summary-cut.ts';
import { detailSections } from './summary-details.ts';
import { code, type Detail, nextStep, phrase, stack, table, words } from './summary-parts.ts';
import { planOverview } from './summary-plan.ts';
import { rehearsalOverview } from './summary-rehearsal.ts';

/** GitHub's limit for the summary of one step: 1 MiB of UTF-8. */
const SUMMARY_LIMIT = 1024 * 1024;

/** How long a summary may be. */
interface SummaryOptions {
  /** The result never has more bytes of UTF-8 than this. */
  limitBytes?: number;
}

const EVERYTHING: Detail = { items: Number.POSITIVE_INFINITY, characters: 10_000, everything: true };
const SHORTER: Detail = { items: 50, characters: 1_000, everything: false };
const SHORTEST: Detail = { items: 10, characters: 300, everything: false };

const LADDER: readonly ((record: UpgradeRecord) => string)[] = [
  (record) => stack(top(record, EVERYTHING), detailSections(record, EVERYTHING)),
  (record) =>
    stack(
      top(record, SHORTER),
      detailSections(record, SHORTER),
      notice('Passed checks, the output of steps and the ends of long lists and texts are left out here.'),
    ),
  (record) => stack(top(record, SHORTER), notice('All details are left out here.')),
  (record) =>
    stack(
      verdict(record, SHORTEST),
      table(...keyTable(record, SHORTEST)),
      nextStep(record.next, SHORTEST),
      notice('Everything but the verdict and the key facts is left out here.'),
    ),
];

/** Markdown for one record, in the longest form that fits. */
export function renderSummary(
  record: UpgradeRecord,
  { limitBytes = SUMMARY_LIMIT }: SummaryOptions = {},
): string {
  let text = '';
  for (const render of LADDER) {
    text = `${render(record)}\n`;
    if (Buffer.byteLength(text) <= limitBytes) return text;
  }
  return cut(text, limitBytes);
}

/** Markdown for the records of several targets: a table of them all, then each in the longest form that fits. */
export function renderSummaries(
  records: readonly UpgradeRecord[],
  { limitBytes = SUMMARY_LIMIT }: SummaryOptions = {},
): string {
  const [first] = records;
  if (!first) return cut('No target was looked at.\n', limitBytes);
  if (records.length === 1) return renderSummary(first, { limitBytes });
  const head = `${overview(records)}\n`;
  const separator = '\n---\n\n';
  const shares = share(
    records,
    limitBytes - Buffer.byteLength(head) - records.length * Buffer.byteLength(separator),
  );
  if (!shares) return cut(`${head}\n${notice('Everything but this table is left out here.')}\n`, limitBytes);
  return [
    head,
    ...records.map((record, index) => renderSummary(record, { limitBytes: shares[index] ?? 0 })),
  ].join(separator);
}

/** Less than this holds no verdict with its table. Bytes. */
const SMALLEST_SHARE = 1024;

/** Bytes for each record: those that need little leave the rest to the others. Null where it is too little for all. */
function share(records: readonly UpgradeRecord[], limitBytes: number): number[] | null {
  if (limitBytes < SMALLEST_SHARE * records.length) return null;
  const needs = records.map((record) => Buffer.byteLength(renderSummary(record, { limitBytes })));
  const shares = needs.map(() => 0);
  let left = limitBytes;
  const smallestFirst = needs.map((need, index) => ({ need, index })).toSorted((a, b) => a.need - b.need);
  smallestFirst.forEach(({ need, index }, served) => {
    const given = Math.min(need, Math.floor(left / (needs.length - served)));
    shares[index] = given;
    left -= given;
  });
  return shares;
}

function overview(records: readonly UpgradeRecord[]): string {
  const counts = new Map<string, number>();
  for (const record of records) {
    const { word } = outcomeOf(record);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const counted = [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
  const rows = records.map((record) => [
    code(record.target.name, SHORTEST),
    `${outcomeOf(record).symbol} ${outcomeOf(record).word}`,
    words(versionsOf(record), SHORTEST),
    words(downtimeOf(record), SHORTEST),
    words(record.verdict, SHORTEST),
  ]);
  return stack(
    `# ${plural(records.length, 'target')}: ${counted}`,
    table(['Target', 'Result', 'Versions', 'Downtime a client saw', 'Verdict'], rows, EVERYTHING),
  );
}

function verdict(record: UpgradeRecord, detail: Detail): string {
  return `## ${outcomeOf(record).symbol} ${words(clip(record.verdict, 500), detail)}`;
}

function keyTable(record: UpgradeRecord, detail: Detail): Parameters<typeof table> {
  const rows = [...keyFacts(record), ...furtherFacts(record)].map((fact) => [
    fact.label,
    phrase(fact.value, detail),
  ]);
  return [rows[0] ?? [], rows.slice(1), detail];
}

/** What a reader must see without unfolding anything. */
function top(record: UpgradeRecord, detail: Detail): string {
  const plan = planOverview(record, detail);
  // Who is to approve it reads the plan first; where something blocks, there is nothing to approve yet.
  const first = record.result === 'success';
  return stack(
    verdict(record, detail),
    table(...keyTable(record, detail)),
    nextStep(record.next, detail),
    rehearsalOverview(record, detail),
    first && plan,
    attention(record, detail),
    !first && plan,
  );
}
