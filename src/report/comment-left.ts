/** What a comment becomes whose target the pull request leaves alone now: an old plan must not stay. Pure. */
import type { ChangeRecord } from './record-change.ts';
import { code, type Detail, stack, words } from './summary-parts.ts';

const DETAIL: Detail = { items: 10, characters: 300, everything: false };

/**
 * @param marker hidden first line
 * @param change null where neither side has the target
 * @param head full commit SHA
 */
export function renderLeft(marker: string, name: string, change: ChangeRecord | null, head: string): string {
  const removed = change === null || change.kind === 'removed';
  const others = (change?.others ?? []).slice(0, DETAIL.items).map((key) => code(key, DETAIL));
  const left = (change?.others.length ?? 0) - others.length;
  const said = removed
    ? 'it is not in the spec of this pull request. Nothing is done to it.'
    : 'its version stays.';
  return `${stack(
    `${marker}\n## ⏭️ ${words(`${name}: this pull request does not upgrade it`, DETAIL)}`,
    `At this commit ${said} What stood here was of an earlier one.`,
    others.length > 0 &&
      `> [!WARNING]\n> It still changes ${others.join(', ')}${left > 0 ? ` and ${left} more` : ''} of ${code(name, DETAIL)}. Read these lines before you merge.`,
    `<sub>Head ${head === '' ? 'not known' : code(head, DETAIL)}, mode list.</sub>`,
  )}\n`;
}
