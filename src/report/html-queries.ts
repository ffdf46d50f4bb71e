/** The user's own SQL with its results, before and after. */
import { formatDuration } from './format.ts';
import { badge, block, code, folded, section, table } from './html-parts.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import { countQueries, pairQueries, type QueryPair, rowWords } from './query-results.ts';
import type { QueryRecord, UpgradeRecord } from './record.ts';

/** How many statements ended how; those that are blocked or failed are at the top of the page, the rest is folded here. */
export function queriesSection({ queries }: UpgradeRecord): Markup | null {
  if (queries.length === 0) return null;
  const { fine } = pairQueries(queries);
  return section(
    'queries',
    'Your own SQL',
    html`<p>Statements: ${countQueries(queries)}.</p>${fine.map((pair) => folded(place(pair.query), queryResult(pair)))}`,
  );
}

/** Statements that are blocked or failed, with their rows. */
export function urgentQueries(queries: readonly QueryRecord[]): Markup | null {
  const { urgent } = pairQueries(queries);
  if (urgent.length === 0) return null;
  return html`${urgent.map((pair) => html`<article><h4>${code(place(pair.query))}</h4>${queryResult(pair)}</article>`)}`;
}

function place({ file, line, database }: QueryRecord): string {
  return `${file}:${line} in ${database}`;
}

function queryResult({ query, before, after, same }: QueryPair): Insertable {
  const runs = same ? [after] : [before, after];
  return html`${block([query.sql])}${runs.map((run) => run && result(run, same))}`;
}

function result(query: QueryRecord, same: boolean): Markup {
  const { status, why, columns, rows, total, durationMs } = query;
  const when = same ? 'The same before and after' : query.when === 'before' ? 'Before' : 'After';
  const cells = rows.map((row) =>
    row.map((cell): Insertable => (cell === null ? html`<span class="soft">null</span>` : cell)),
  );
  return html`<p>${badge(STATUS[status], status === 'passed' ? 'quiet' : 'strong')} <strong>${when}</strong>, took ${formatDuration(durationMs)}. ${status !== 'error' && rowWords(total, rows.length)}</p>${
    why !== null && html`<p>${why}</p>`
  }${rows.length > 0 && table(`Rows of ${place(query)}`, columns, cells, 'result')}`;
}

const STATUS: Record<QueryRecord['status'], string> = {
  passed: 'passed',
  blocked: 'blocked',
  error: 'failed',
};
