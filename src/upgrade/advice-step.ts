/**
 * Carries out the release advice that is safe to carry out on a live database, after the upgrade was found good. What
 * fails here never takes the upgrade back: the older version would have the same indexes. It is told, with its SQL.
 */
import type { Step, StepRun } from '../environments/environment.ts';
import { Cancelled, messageOf, UpgradeError } from '../errors.ts';
import { quoteIdent } from '../postgres/connection.ts';
import { runLong } from '../postgres/maintain.ts';
import { findAdvice } from '../releases/advice-catalogue.ts';
import type { AdviceRecord } from '../report/record-release.ts';
import { connectTo } from './connect.ts';
import { askExtensionUpdates } from './extension-updates.ts';
import { rebuild } from './rebuild.ts';
import type { Run } from './target.ts';

type Found = AdviceRecord['objects'][number];

/** Id of the journal's entry for a template that was opened for a moment. */
export const openedTemplate = 'template-opened:';

/** Never fails but by Cancelled: what could not be done is in the record, and an issue says so. */
export function adviceStep(run: Run): Step {
  return {
    isDone: async () => false,
    async run(step) {
      try {
        await carryOutAll(run, step);
      } catch (cause) {
        if (cause instanceof Cancelled || step.signal.aborted) throw new Cancelled();
        run.recorder.issue(
          new UpgradeError(
            'advice-failed',
            `Release advice was not carried out to the end: ${messageOf(cause)}`,
            {
              phase: 'upgrade',
              hint: 'What is left is in the report, with its SQL.',
            },
          ),
          'The upgrade stays: it was found good.',
        );
        step.note(messageOf(cause));
      }
      return { state: 'done' };
    },
  };
}

async function carryOutAll(run: Run, step: StepRun): Promise<void> {
  const { record } = run.recorder;
  const updates = await askExtensionUpdates(run);
  if (updates) record.advice.push(updates);
  for (const advice of record.advice) {
    const remedy = findAdvice(advice.id)?.remedy ?? { kind: 'statements' };
    if (advice.by !== 'action' || advice.state !== 'applies' || remedy.kind === 'list-setting') continue;
    await carryOut(run, step, advice, remedy.kind === 'script' ? remedy.file : null);
    conclude(run, step, advice);
  }
}

/** @param script file of the server's own share folder; null where each object has its statement */
async function carryOut(run: Run, step: StepRun, advice: AdviceRecord, script: string | null): Promise<void> {
  if (script !== null) {
    const todo = advice.objects.filter(({ state }) => state === 'found');
    const databases = [...new Set(todo.map(({ database }) => database ?? run.settings.database))];
    for (const database of databases)
      await attempt(
        run,
        step,
        advice,
        todo.filter((object) => (object.database ?? run.settings.database) === database),
        () => runScript(run, step, database, script),
      );
    return;
  }
  const todo = advice.objects.filter(({ sql, state }) => sql !== null && state === 'found');
  for (const [index, object] of todo.entries()) {
    step.progress(`${advice.id}: ${object.name} (${index + 1} of ${todo.length})`);
    const database = object.database ?? run.settings.database;
    const sql = object.sql ?? '';
    await attempt(run, step, advice, [object], () =>
      /^REINDEX INDEX CONCURRENTLY /.test(sql)
        ? rebuild(run, step, { database, index: object.name }, sql)
        : runLong(() => connectTo(run, database, 0), sql, step.signal),
    );
  }
}

async function attempt(
  run: Run,
  step: StepRun,
  advice: AdviceRecord,
  objects: readonly Found[],
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
    for (const object of objects) object.state = 'done';
  } catch (cause) {
    if (cause instanceof Cancelled || step.signal.aborted) throw new Cancelled();
    for (const object of objects) {
      object.state = 'failed';
      object.detail = messageOf(cause);
    }
    step.note(`${advice.id}: ${objects[0]?.database ?? ''} ${objects[0]?.name ?? ''}: ${messageOf(cause)}`);
  } finally {
    run.recorder.save();
  }
}

/**
 * Runs a script that the new server brings, in one database. The server reads the file itself, so it is the right one
 * also on another machine. A template that accepts no connections is opened for the time of it.
 */
async function runScript(run: Run, step: StepRun, database: string, file: string): Promise<void> {
  await using main = await connectTo(run);
  const [row] = await main.query<{ script: string; connectable: boolean }>(
    `SELECT pg_catalog.pg_read_file(c.setting || '/' || $1) AS script, d.datallowconn AS connectable
     FROM pg_catalog.pg_config AS c, pg_catalog.pg_database AS d WHERE c.name = 'SHAREDIR' AND d.datname = $2`,
    [file, database],
  );
  if (!row) throw new Error(`there is no database ${database}`);
  const id = `${openedTemplate}${database}`;
  if (!row.connectable) {
    await step.switchOff({
      id,
      what: `database ${database} accepts connections for a moment`,
      detail: { database },
    });
    await main.script(`ALTER DATABASE ${quoteIdent(database)} ALLOW_CONNECTIONS true`);
  }
  try {
    step.progress(`${file} in ${database}`);
    await runLong(() => connectTo(run, database, 0), row.script, step.signal);
    step.note(`${file} was run in ${database}`);
  } finally {
    if (!row.connectable) {
      await closeTemplate(run, database);
      await step.isBack(id);
    }
  }
}

/** Puts back what an opened template was: closed. */
export async function closeTemplate(run: Run, database: string): Promise<void> {
  await using connection = await connectTo(run);
  const [there] = await connection.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [database]);
  // Somebody may have dropped it meanwhile: then nothing is open.
  if (there) await connection.script(`ALTER DATABASE ${quoteIdent(database)} ALLOW_CONNECTIONS false`);
}

function conclude(run: Run, step: StepRun, advice: AdviceRecord): void {
  const count = (state: Found['state']): number =>
    advice.objects.filter((object) => object.state === state).length;
  const [done, failed] = [count('done'), count('failed')];
  // What the list did not name was not touched.
  const left = advice.total - done - failed;
  advice.state = failed > 0 && done === 0 ? 'failed' : failed > 0 || left > 0 ? 'partly' : 'done';
  step.note(
    `${advice.id}: ${done} of ${advice.total} done${failed > 0 ? `, ${failed} failed` : ''}${left > 0 ? `, ${left} left` : ''}`,
  );
  if (failed > 0) {
    run.recorder.issue(
      new UpgradeError(
        'advice-failed',
        `${advice.title}: ${failed} of ${advice.total} could not be mended.`,
        {
          phase: 'upgrade',
          hint: advice.objects.find(({ state }) => state === 'failed')?.detail ?? advice.todo,
        },
      ),
      'The upgrade stays: the older version would have the same fault. Run the SQL of the report by hand.',
    );
  }
  run.recorder.save();
}
