/** Checks as a list, and the section of those that ask nothing of anybody. */

import {
  asksAttention,
  byUrgency,
  type CheckRecord,
  countChecks,
  statusWord,
  titleWords,
} from './check-words.ts';
import { plural } from './format.ts';
import { badge, code, folded, lines, section } from './html-parts.ts';
import { html, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';

/** How many checks ended how; those that ask for attention are at the top of the page, the rest is folded here. */
export function checksSection(record: UpgradeRecord): Markup | null {
  if (record.checks.length === 0) return null;
  const rest = byUrgency(record.checks.filter((check) => !asksAttention(check)));
  return section(
    'checks',
    'Checks',
    html`<p>${countChecks(record.checks)}.</p>${
      rest.length > 0 && folded(`${plural(rest.length, 'check')} with nothing to do`, checkList(rest))
    }`,
  );
}

/** Each check with what was seen and what to do. */
export function checkList(checks: readonly CheckRecord[]): Markup | null {
  return lines(
    checks.map((check) => {
      const weight = check.status === 'blocked' || check.status === 'error' ? 'strong' : 'medium';
      return html`${badge(statusWord(check.status), asksAttention(check) ? weight : 'quiet')} <span class="title">${titleWords(check)}</span> <span class="soft">${check.when} the upgrade</span>
${lines(check.seen)}${check.fix !== null && asksAttention(check) && html`<p>To do: ${check.fix}</p>`}<p class="soft">${code(check.id)} ${code(check.docs)}</p>`;
    }),
    'checks',
  );
}
