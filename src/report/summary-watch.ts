/** Applications and their health, and how the upgraded target was observed, folded. */
import type { UpgradeRecord } from './record.ts';
import { code, type Detail, folded, list, stack, table, words } from './summary-parts.ts';
import { beforeWords, observedRows, watchWords, whileWords } from './watch-words.ts';

/** Nothing where there is no application to ask, and nothing was observed. */
export function watchDetails(record: UpgradeRecord, detail: Detail): string | null {
  const { watch } = record;
  if (!watch) return null;
  const { applications, observed } = watch;
  const rows = applications.map((each) => [
    words(each.name, detail),
    code(each.health, detail),
    words(beforeWords(each), detail),
    words(whileWords(each), detail),
  ]);
  return folded(
    observed?.limit ? 'Observed: a limit was crossed' : observed ? 'Observed' : 'Applications',
    stack(
      words(watchWords(record), detail),
      observed &&
        list(
          observedRows(observed).map(([term, value]) => `${words(term, detail)}: ${words(value, detail)}`),
          detail,
        ),
      rows.length > 0 && table(['Application', 'Health', 'Before', 'Observed'], rows, detail),
    ),
  );
}
