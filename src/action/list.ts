/** Mode `list`: which targets there are, for a matrix. Opens none of them. */
import { changesVersion, isPureMinor } from '../report/change.ts';
import { kindWords } from '../report/change-words.ts';
import { clip } from '../report/escape.ts';
import type { ChangeRecord } from '../report/record-change.ts';
import { code, type Detail, stack, table, words } from '../report/summary-parts.ts';
import type { LoadedTarget } from '../spec/load.ts';
import { waitingFor } from '../upgrade/waves.ts';
import { updateLeft } from './left-comments.ts';
import { setOutputs } from './outputs.ts';
import { writeSummary } from './reports.ts';
import type { Session } from './session.ts';

/** One target, as the output `targets` has it. */
export interface Listed {
  name: string;
  wave: number;
  postgres: string;
  /** Kind of its environment. */
  environment: string;
  /** What the pull request or push does to its version; null for other events. */
  change: ChangeRecord['kind'] | null;
  from: string | null;
  to: string | null;
  /** Whether nothing keeps its upgrade from starting. */
  ready: boolean;
  /** One sentence each; the output has the first three. */
  'waits-for': string[];
}

/** @returns the exit code */
export async function listTargets(
  session: Session,
  changes: ReadonlyMap<string, ChangeRecord>,
): Promise<number> {
  const { targets, all, context, log, github, inputs } = session;
  const listed: Listed[] = [];
  for (const target of targets.toSorted((a, b) => a.spec.wave - b.spec.wave))
    listed.push(
      listedOf(target, changes.get(target.spec.name) ?? null, await waitingFor(target, all, context)),
    );
  for (const { name, postgres, wave, change, ready, ...rest } of listed)
    log.info(
      `${name}: PostgreSQL ${postgres}, wave ${wave}${change === null ? '' : `, ${kindWords(change)}`}, ${ready ? 'ready' : `waits: ${fewWaits(rest['waits-for']).join('; ')}`}`,
    );
  if (!github) return 0;
  setOutputs(listOutputs(listed, changes));
  if (inputs.summary) await writeSummary(listSummary(listed, changes));
  await updateLeft(session, changes);
  return 0;
}

function listedOf({ spec }: LoadedTarget, change: ChangeRecord | null, waits: string[]): Listed {
  return {
    name: spec.name,
    wave: spec.wave,
    postgres: spec.postgres,
    environment: spec.environment.kind,
    change: change?.kind ?? null,
    from: change?.from ?? null,
    to: change?.to ?? null,
    ready: waits.length === 0,
    'waits-for': waits,
  };
}

/** What a target waits for, as far as an output may tell: each later target has the same earlier ones. */
const mostWaits = 3;
const mostCharacters = 300;

/** The first few, and how many there are besides: GitHub takes 1 MB of outputs from a job. */
function fewWaits(waits: readonly string[]): string[] {
  const left = waits.length - mostWaits;
  return [
    ...waits.slice(0, mostWaits).map((why) => clip(why, mostCharacters)),
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
}

/** Outputs of the mode by name. Pure. */
export function listOutputs(
  listed: readonly Listed[],
  changes: ReadonlyMap<string, ChangeRecord>,
): Record<string, string> {
  const changeOf = ({ name }: Listed): ChangeRecord | null => changes.get(name) ?? null;
  const waves = Map.groupBy(
    listed.filter(({ ready }) => ready),
    ({ wave }) => wave,
  );
  const names = (of: readonly Listed[]): string[] => of.map(({ name }) => name);
  return {
    result: 'success',
    changed: 'false',
    targets: JSON.stringify(listed.map((each) => ({ ...each, 'waits-for': fewWaits(each['waits-for']) }))),
    waves: JSON.stringify(
      [...waves].sort(([a], [b]) => a - b).map(([wave, of]) => ({ wave, targets: names(of) })),
    ),
    'changed-targets': JSON.stringify(names(listed.filter((each) => changesVersion(changeOf(each))))),
    'minor-targets': JSON.stringify(names(listed.filter((each) => isPureMinor(changeOf(each))))),
  };
}

const DETAIL: Detail = { items: 256, characters: 300, everything: false };

/** A table of all targets, and what they wait for. Pure. */
export function listSummary(listed: readonly Listed[], changes: ReadonlyMap<string, ChangeRecord>): string {
  const rows = listed.map((each) => {
    const change = changes.get(each.name);
    const others = change?.others.length ?? 0;
    return [
      code(each.name, DETAIL),
      String(each.wave),
      each.change === null || each.from === null || each.from === each.to
        ? each.postgres
        : words(`${each.from} → ${each.to}`, DETAIL),
      each.change === null
        ? ''
        : `${kindWords(each.change)}${
            others > 0
              ? `, and ${others} more: ${change?.others
                  .slice(0, 5)
                  .map((key) => code(key, DETAIL))
                  .join(', ')}`
              : ''
          }`,
      each.ready ? 'yes' : words(each['waits-for'].join('; '), DETAIL),
    ];
  });
  const removed = [...changes.values()].filter(({ kind }) => kind === 'removed').length;
  return stack(
    `## Targets (${listed.length})`,
    table(['Target', 'Wave', 'PostgreSQL', 'Change', 'Ready'], rows, DETAIL),
    removed > 0 && `Removed from the spec: ${removed}. Nothing is done to them.`,
  );
}
