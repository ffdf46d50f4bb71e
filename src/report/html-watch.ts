/** Applications and their health, and how the upgraded target was observed. */
import { code, definitions, section, table, titled } from './html-parts.ts';
import { html, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';
import { beforeWords, observedRows, watchWords, whileWords } from './watch-words.ts';

/** Nothing where there is no application to ask, and nothing was observed. */
export function watchSection(record: UpgradeRecord): Markup | null {
  const { watch } = record;
  if (!watch) return null;
  const { applications, observed } = watch;
  const words = watchWords(record);
  const rows = applications.map((each) => [
    each.name,
    code(each.health),
    beforeWords(each),
    whileWords(each),
  ]);
  return section(
    'watch',
    observed ? 'Observed' : 'Applications',
    html`${words !== null && html`<p>${words}</p>`}${observed && definitions(observedRows(observed))}${
      rows.length > 0 &&
      titled('Applications', table('Applications', ['Application', 'Health', 'Before', 'Observed'], rows))
    }`,
  );
}
