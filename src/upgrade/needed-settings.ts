/**
 * Settings that a new minor version needs and the older one does not know, such as output_plugin_libraries. Written
 * only after the new programs run: an older server that finds an unknown setting in its files refuses to start. Taken
 * back before anything else on the way back, for the same reason.
 */
import type { Step } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { type Connection, quoteIdent } from '../postgres/connection.ts';
import { parseVersion } from '../postgres/version.ts';
import { findAdvice } from '../releases/advice-catalogue.ts';
import { adviceBetween } from '../releases/between.ts';
import type { PlannedStep, PlanRecord } from '../report/record.ts';
import type { AdviceRecord } from '../report/record-release.ts';
import { connectTo } from './connect.ts';
import type { Run } from './target.ts';

/** A setting that holds a list of names, and the names that it must hold. */
export interface NeededSetting {
  id: string;
  name: string;
  values: string[];
}

/** Which settings a piece of advice that applies asks for, and that the action is to write. Pure. */
export function neededSettings(advice: readonly AdviceRecord[]): NeededSetting[] {
  return advice.flatMap(({ id, by, objects }) => {
    const remedy = findAdvice(id)?.remedy;
    if (by !== 'action' || remedy?.kind !== 'list-setting') return [];
    return [
      {
        id,
        name: remedy.name,
        values: [...new Set([...remedy.defaults, ...objects.map(({ name }) => name)])],
      },
    ];
  });
}

/**
 * Names of all settings that came with the versions between two and that advice may have had somebody write, whichever
 * of the two is the older one; none without a plan. Pure.
 */
export function newSettings(plan: Pick<PlanRecord, 'from' | 'wanted'> | null): string[] {
  if (!plan) return [];
  const [from, wanted] = [parseVersion(plan.from), parseVersion(plan.wanted)];
  return [...adviceBetween(from, wanted), ...adviceBetween(wanted, from)].flatMap(({ advice: { remedy } }) =>
    remedy?.kind === 'list-setting' ? [remedy.name] : [],
  );
}

/** Each name on its own: one string with commas would be one name, which fits no library (GUC_LIST_QUOTE). Pure. */
export function setList({ name, values }: Pick<NeededSetting, 'name' | 'values'>): string {
  return `ALTER SYSTEM SET ${name} = ${values.map(quoteIdent).join(', ')}`;
}

/** The names in a list setting, as `current_setting` shows it. Pure. */
export function listOf(setting: string): string[] {
  return [...setting.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'),
  );
}

async function current(connection: Connection, name: string): Promise<string | null> {
  const [row] = await connection.query<{ value: string | null }>(
    'SELECT pg_catalog.current_setting($1, true) AS value',
    [name],
  );
  return row?.value ?? null;
}

const lacks = (value: string | null, { values }: NeededSetting): boolean =>
  value === null || values.some((each) => !listOf(value).includes(each));

/** The step that takes settings back; its other half was the upgrade's. */
export function resetStep(settings: readonly string[]): PlannedStep {
  const named = settings.join(', ');
  return {
    id: 'configure',
    title: `Set ${named}`,
    does: [],
    undo: `ALTER SYSTEM RESET ${named}, where it is set: the older version does not know it`,
    breaks: null,
    risks: [
      'The setting may stand in a file that the action does not write: then the run ends before anything is stopped.',
    ],
    interruptible: false,
  };
}

/** @throws UpgradeError `setting-unknown`, `setting-not-taken` */
export function configureStep(run: Run): Step {
  const needed = (): NeededSetting[] => neededSettings(run.recorder.record.advice);
  return {
    async isDone() {
      await using connection = await connectTo(run);
      for (const setting of needed())
        if (lacks(await current(connection, setting.name), setting)) return false;
      return needed().length > 0;
    },
    async run(step) {
      await using connection = await connectTo(run);
      for (const setting of needed()) {
        const before = await current(connection, setting.name);
        if (before === null) {
          throw new UpgradeError('setting-unknown', `The new server does not know ${setting.name}.`, {
            phase: 'upgrade',
            hint: `Advice ${setting.id} asks for it: the release notes of ${run.spec.postgres} say more.`,
          });
        }
        const wanted = { ...setting, values: [...new Set([...listOf(before), ...setting.values])] };
        await connection.script(setList(wanted));
        await reload(run, wanted);
        step.note(`${setting.name} is ${wanted.values.join(', ')}`);
        tell(run, setting.id);
      }
      return { state: 'done' };
    },
    undo: async (step) => {
      for (const name of await takeBack(run))
        step.note(`${name} was taken back: the older version does not know it`);
    },
  };
}

/** Reads the configuration again, and waits until a new session sees the value. */
async function reload(run: Run, setting: NeededSetting): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    await using connection = await connectTo(run);
    if (!lacks(await current(connection, setting.name), setting)) return;
    if (Date.now() > deadline) break;
    await connection.query('SELECT pg_catalog.pg_reload_conf()');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new UpgradeError(
    'setting-not-taken',
    `${setting.name} was written, but the server does not take it.`,
    {
      phase: 'upgrade',
      hint: 'Something stronger sets it: a command-line argument of the server, ALTER DATABASE or ALTER ROLE.',
    },
  );
}

function tell(run: Run, id: string): void {
  const advice = run.recorder.record.advice.find((each) => each.id === id);
  if (!advice) return;
  advice.state = 'done';
  for (const object of advice.objects) object.state = 'done';
  run.recorder.save();
}

/**
 * Takes the settings out of what ALTER SYSTEM wrote, whoever wrote them: by SQL, or by hand where nothing serves.
 * @returns names of those that were there
 * @throws UpgradeError `rollback-setting`: one stands in a file that is not ours to change
 */
async function takeBack(run: Run): Promise<string[]> {
  const names = newSettings(run.recorder.record.plan);
  if (names.length === 0) return [];
  const facts = await run.environment.inspect().catch(() => null);
  if (!facts?.serving) {
    await run.environment.forgetSettings?.(names);
    return names;
  }
  await using connection = await connectTo(run);
  const found = await connection.query<{ name: string; file: string; line: number; automatic: boolean }>(
    `SELECT f.name, f.sourcefile AS file, f.sourceline AS line, f.sourcefile LIKE '%/postgresql.auto.conf' AS automatic
     FROM pg_catalog.pg_file_settings AS f WHERE f.name = ANY($1) ORDER BY f.seqno`,
    [names],
  );
  const foreign = found.find(({ automatic }) => !automatic);
  if (foreign) {
    throw new UpgradeError(
      'rollback-setting',
      `${foreign.name} stands in ${foreign.file}, line ${foreign.line}: with it the older version would not start.`,
      {
        phase: 'rollback',
        hint: 'Take the line out of the file, then run mode: rollback again. Nothing was stopped.',
      },
    );
  }
  const automatic = [...new Set(found.map(({ name }) => name))];
  for (const name of automatic) await connection.script(`ALTER SYSTEM RESET ${quoteIdent(name)}`);
  return automatic;
}
