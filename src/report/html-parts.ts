/** The pieces of report.html: sections, tables, lists and code. */
import { formatTime } from './format.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import type { Phrase } from './overview.ts';
import { safeLink } from './safe-link.ts';

/** A section with its heading; nothing without a body. */
export function section(id: string, title: string, body: Insertable): Markup | null {
  if (body === null || body === undefined || body === false) return null;
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}</section>
`;
}

/** A table in a box that scrolls by itself, so that the page never does sideways. */
export function table(
  label: string,
  head: readonly string[],
  rows: readonly (readonly Insertable[])[],
  kind: 'ours' | 'result' = 'ours',
): Markup {
  // The columns of a result are somebody else's: nothing is known of their widths.
  const width = kind === 'result' ? kind : head.length < 4 ? 'few' : head.length === 4 ? 'four' : 'more';
  // A box that scrolls has to be reachable by keyboard.
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table class="${width}">
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table></div>
`;
}

/** Terms and what they are; dense ones stand in two columns where there is room. */
export function definitions(
  entries: readonly (readonly [string, Insertable])[],
  kind: 'wide' | 'dense' = 'wide',
): Markup {
  return html`<dl class="${kind}">${entries.map(
    ([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>
`,
  )}</dl>
`;
}

/** A name, a path, a command; nothing for null. */
export function code(value: string | null): Markup | null {
  return value === null ? null : html`<code>${value}</code>`;
}

/** Lines as a list; nothing without lines. */
export function lines(items: readonly Insertable[], kind = 'plain'): Markup | null {
  if (items.length === 0) return null;
  return html`<ul class="${kind}">${items.map(
    (item) => html`<li>${item}</li>
`,
  )}</ul>
`;
}

/** What a program printed or a command to copy, with its breaks. */
export function block(text: readonly string[]): Markup | null {
  return text.length === 0
    ? null
    : html`<pre tabindex="0">${text.join('\n')}</pre>
`;
}

/** A fold with its title. */
export function folded(title: string, body: Insertable): Markup {
  return html`<details><summary>${title}</summary>
${body}</details>
`;
}

/** A body with a heading of its own; nothing without a body. */
export function titled(title: string, body: Markup | null): Markup | null {
  return body && html`<h3>${title}</h3>${body}`;
}

/** A link to release notes; an address that is not PostgreSQL's own stays text. */
export function notes(address: string, words: string): Markup {
  const link = safeLink(address);
  if (link === null) return html`${words}: ${code(address)}`;
  return html`<a href="${link}" rel="noopener noreferrer">${words}</a>`;
}

/** A word in a pill; `strong` for what a person must see. */
export function badge(word: string, weight: 'strong' | 'medium' | 'quiet'): Markup {
  return html`<span class="badge ${weight}">${word}</span>`;
}

/** Words with names in between. */
export function phrase(value: Phrase): Insertable {
  return value.map((part) => (typeof part === 'string' ? part : code(part.code)));
}

/** A point in time that stays on one line. */
export function moment(iso: string): Markup {
  return html`<time datetime="${iso}">${formatTime(iso)}</time>`;
}
