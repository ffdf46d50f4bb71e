/** The issue of a target that failed: one for a spec file and target, updated in place. Pure. */
import { clip } from './escape.ts';
import { formatTime } from './format.ts';
import { outcomeOf, versionsOf } from './overview.ts';
import type { Mode, UpgradeRecord } from './record.ts';
import { runLink } from './run-link.ts';
import { attention } from './summary-attention.ts';
import { cut } from './summary-cut.ts';
import { code, type Detail, list, nextStep, stack, table, words } from './summary-parts.ts';

const DETAIL: Detail = { items: 20, characters: 500, everything: false };
const LIMIT = 65_536;

/** How much a mode shows: what failed in a later one is not proved by an earlier one that is green. */
const DEPTH: Record<Mode, number> = { plan: 0, check: 1, rehearse: 2, upgrade: 3, resume: 3, rollback: 3 };

/** `orders: upgrade to PostgreSQL 15.18 failed`. */
export function issueTitle(record: UpgradeRecord): string {
  const { word } = outcomeOf(record);
  return clip(
    `${record.target.name}: PostgreSQL ${record.versions.wanted}, mode ${record.mode}: ${word}`,
    200,
  );
}

/** @param failed the mode that failed deepest since the issue was opened */
export function renderIssue(record: UpgradeRecord, marker: string, failed: Mode = record.mode): string {
  const { run, target, issues } = record;
  const when = formatTime(record.finished ?? record.started);
  const text = stack(
    `${marker}\n<!-- failed=${deeper(failed, record.mode)} -->\n## ${outcomeOf(record).symbol} ${words(clip(record.verdict, 500), DETAIL)}`,
    table(
      ['', ''],
      [
        ['**Target**', `${code(target.name, DETAIL)} (${words(target.environment, DETAIL)})`],
        ['**Result**', `${outcomeOf(record).word}, mode ${record.mode}`],
        ['**Versions**', words(versionsOf(record), DETAIL)],
        ['**Database now**', words(record.state, DETAIL)],
        ['**When**', words(when, DETAIL)],
        ['**Run**', run ? runLink(run) : 'outside GitHub'],
      ],
      DETAIL,
    ),
    nextStep(record.next, DETAIL),
    issues.length > 0 &&
      stack(
        '### What went wrong',
        list(
          issues.map(
            ({ code: id, what, hint }) =>
              `${code(id, DETAIL)}: ${words(what, DETAIL)}${hint === null ? '' : `<br>To do: ${words(hint, DETAIL)}`}`,
          ),
          DETAIL,
        ),
      ),
    // What went wrong is above already.
    attention({ ...record, issues: [] }, DETAIL),
    'This issue is updated by every run that fails, and closed by one that is green.',
  );
  return cut(`${text}\n`, LIMIT);
}

/** The comment that closes it. */
export function renderGreen(record: UpgradeRecord): string {
  const by = record.run ? runLink(record.run) : 'a run outside GitHub';
  return `✅ Green again, by ${by}: ${words(clip(record.verdict, 500), DETAIL)}`;
}

/** The mode that an issue says failed; null where it does not say. */
export function failedMode(body: string | null | undefined): Mode | null {
  const found = /^<!-- failed=([a-z]+) -->$/m.exec((body ?? '').replaceAll('\r', ''))?.[1];
  return found !== undefined && found in DEPTH ? (found as Mode) : null;
}

/**
 * Whether a green record shows that what failed works again. A version that runs already is beyond all of it: no mode
 * ends as skipped where an upgrade is unfinished. Who does not know what failed believes an upgrade only.
 */
export function closes(record: UpgradeRecord, failed: Mode | null): boolean {
  if (record.result === 'skipped') return true;
  return record.result === 'success' && DEPTH[record.mode] >= DEPTH[failed ?? 'upgrade'];
}

function deeper(a: Mode, b: Mode): Mode {
  return DEPTH[a] > DEPTH[b] ? a : b;
}
