/** The pieces of a summary: tables, lists and folded sections in GitHub's markdown, all with a limit on their length. */
import { markdownTable } from 'markdown-table';
import { clip, markdownBlock, markdownCode, markdownText } from './escape.ts';
import { formatCount } from './format.ts';
import { nextLines, type Phrase } from './overview.ts';
import { safeLink } from './safe-link.ts';

/** How much a summary tells. */
export interface Detail {
  /** Rows or items of one list; the rest is counted. */
  readonly items: number;
  /** Characters of one text from outside. */
  readonly characters: number;
  /** Checks that passed, and what steps printed. */
  readonly everything: boolean;
}

/** Text from outside in a cell, an item or a paragraph. */
export function words(value: string | null, detail: Detail): string {
  return markdownText(clip(value ?? '', detail.characters));
}

/** A name, path or command from outside. */
export function code(value: string | null, detail: Detail): string {
  return value === null ? '' : markdownCode(clip(value, detail.characters));
}

/** Words with names in between. */
export function phrase(value: Phrase, detail: Detail): string {
  // Whole words are escaped apart, so the blanks at their ends have to be kept by hand.
  return value
    .map((part) => (typeof part === 'string' ? keepEnds(part, words(part, detail)) : code(part.code, detail)))
    .join('');
}

function keepEnds(part: string, shown: string): string {
  return `${part.startsWith(' ') ? ' ' : ''}${shown}${part.endsWith(' ') ? ' ' : ''}`;
}

/** Cells are markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], detail: Detail): string {
  const shown = markdownTable([head, ...rows.slice(0, detail.items)], { alignDelimiters: false });
  return shown + leftOut(rows.length, detail);
}

/** Items are markdown already, one line each or with nested items below. */
export function list(items: readonly string[], detail: Detail): string {
  const shown = items.slice(0, detail.items).map((item) => `- ${item}`);
  return shown.join('\n') + leftOut(items.length, detail);
}

/** The first lines of a text of many, joined for one cell or item. */
export function joined(lines: readonly string[], detail: Detail, separator: string): string {
  const most = Math.min(detail.items, 20);
  const shown = lines.slice(0, most).map((line) => words(line, detail));
  const left = lines.length - most;
  return [...shown, ...(left > 0 ? [`and ${formatCount(left)} more`] : [])].join(separator);
}

/** The paragraph that says how many were left out, or nothing. */
function leftOut(total: number, detail: Detail): string {
  const left = total - detail.items;
  return left > 0 ? `\n\n${formatCount(left)} more left out; report.html has all.` : '';
}

/** A link to release notes; an address that is not PostgreSQL's own stays text. */
export function notes(address: string, title: string, detail: Detail): string {
  const link = safeLink(address);
  return link === null
    ? `${words(title, detail)}: ${code(address, detail)}`
    : `[${words(title, detail)}](${link})`;
}

/** Statements to copy; a blank line within would end what GitHub takes for the block when a summary is cut. */
export function sqlBlock(lines: readonly string[]): string | null {
  const shown = lines.filter((line) => line.trim() !== '');
  return shown.length === 0 ? null : markdownBlock(shown, 'sql');
}

/** A folded section; null without a body. */
export function folded(title: string, body: string | null): string | null {
  if (body === null || body === '') return null;
  // The title is HTML to GitHub, in which what markdownText makes means the same. The blank lines make the body markdown.
  return `<details>\n<summary>${markdownText(title)}</summary>\n\n${body}\n\n</details>`;
}

/** Parts that are there, with a blank line between. */
export function stack(...parts: readonly (string | null | undefined | false)[]): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join('\n\n');
}

/**
 * What to do next; commands in a block, which GitHub gives a button to copy, and what a program printed in a plain one. A
 * command is shown whole or not at all.
 */
export function nextStep(next: string | null, detail: Detail): string | null {
  const all = nextLines(next);
  const most = Math.min(detail.items, 20);
  const shown: string[] = [];
  let lines: string[] = [];
  let language = '';
  const flush = (): void => {
    if (lines.length > 0) shown.push(markdownBlock(lines, language));
    lines = [];
  };
  const add = (line: string, of: string): void => {
    if (language !== of) flush();
    language = of;
    lines.push(line);
  };
  for (const { kind, text } of all.slice(0, most)) {
    if (kind === 'output') add(clip(text, detail.characters), '');
    else if (kind === 'command' && text.length <= detail.characters) add(text, 'sh');
    else {
      flush();
      shown.push(
        kind === 'words'
          ? words(text, detail)
          : `A command of ${formatCount(text.length)} characters is in report.html.`,
      );
    }
  }
  flush();
  if (shown.length === 0) return null;
  return stack('### Next', ...shown, leftOut(all.length, { ...detail, items: most }).trim());
}
