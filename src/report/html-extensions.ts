/** The extensions that the spec names, before and after, with what was done to them. */
import { countExtensions, errorWords, ownWords, tableWords, versionWords } from './extension-words.ts';
import { badge, code, lines, section, table } from './html-parts.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';

/** Null where the spec names none, or nobody looked. */
export function extensionsSection({ extensions }: UpgradeRecord): Markup | null {
  if (extensions.length === 0) return null;
  const rows = extensions.map((each): Insertable[] => [
    html`${code(each.extension)}<span class="under">${each.database}</span>`,
    versionWords(each),
    html`${ownWords(each)}<span class="under">${tableWords(each).join(', ')}</span>`,
    errorWords(each),
    html`${each.faults.length > 0 && badge('not in order', 'strong')}${lines([...each.faults, ...each.done])}`,
  ]);
  return section(
    'extensions',
    'Extensions',
    html`<p>${countExtensions(extensions)}.</p>${table('Extensions', ['Extension', 'Version', 'Its own version, its tables', 'Errors', 'What is wrong, and what was done'], rows)}`,
  );
}
