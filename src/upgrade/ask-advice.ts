/** What the release notes between two versions ask of this very database: every piece of advice asked, nothing changed. */
import { type Answer, askAll, type Question } from '../checks/ask.ts';
import { numberOf, textOf } from '../checks/rows.ts';
import { listAllDatabases } from '../postgres/databases.ts';
import type { PgVersion } from '../postgres/version.ts';
import type { Advice } from '../releases/advice.ts';
import { indexesOfAll } from '../releases/advice-sql.ts';
import { adviceBetween } from '../releases/between.ts';
import { notesLink } from '../releases/releases.ts';
import type { AdviceRecord } from '../report/record-release.ts';
import { connectTo } from './connect.ts';
import type { Run } from './target.ts';

/** Objects that are kept by name for each piece of advice in each database; the rest is counted, and left. */
const namedAtMost = { report: 200, apply: 5000 };

/** The template that initdb closes: nobody's tables are in it. */
const untouched = 'template0';

type Found = AdviceRecord['objects'][number];

/** The one pass over a database's indexes; its rows say whose they are. */
const passOverIndexes = 'indexes';

/** The questions behind advice, each cut to what a report can hold; those about indexes are one. */
export function questionsOf(list: readonly Advice[], limit: number): Question[] {
  const cut = (sql: string, group: string): string =>
    `SELECT * FROM (SELECT q.*, pg_catalog.count(*) OVER (${group}) AS total, pg_catalog.row_number() OVER (${group}) AS number
                    FROM (${sql}) AS q) AS numbered WHERE number <= ${limit}`;
  const conditions = new Map(
    list.flatMap(({ id, index }) => (index === undefined ? [] : [[id, index] as const])),
  );
  const others = list.flatMap(({ id, sql, index }) =>
    sql === null || index !== undefined ? [] : [{ id, sql: cut(sql, '') }],
  );
  return conditions.size === 0
    ? others
    : [{ id: passOverIndexes, sql: cut(indexesOfAll(conditions), 'PARTITION BY advice') }, ...others];
}

/** The answers by advice: the pass's rows go to those that they name. */
function eachAnswer(list: readonly Advice[], answers: ReadonlyMap<string, Answer>): [string, Answer][] {
  const pass = answers.get(passOverIndexes);
  return list.flatMap(({ id, index }): [string, Answer][] => {
    const answer = index === undefined ? answers.get(id) : pass;
    if (!answer) return [];
    if (index === undefined || answer.kind !== 'rows') return [[id, answer]];
    return [[id, { kind: 'rows', rows: answer.rows.filter(({ advice }) => advice === id) }]];
  });
}

/** Databases that are asked at the same time. */
const parallel = 2;

/** The answers of one database; of the cluster where it is null. */
interface Asked {
  database: string | null;
  answers: ReadonlyMap<string, Answer>;
}

/** Asks all of it on the server that runs now. @throws Cancelled */
export async function askAdvice(run: Run, from: PgVersion, wanted: PgVersion): Promise<AdviceRecord[]> {
  const between = adviceBetween(from, wanted);
  const limit = namedAtMost[run.spec.advice];
  const all = between.map(({ advice }) => advice);
  const ask = async (list: readonly Advice[], database: string | null): Promise<Asked> => {
    const questions = questionsOf(list, limit);
    if (questions.length === 0) return { database, answers: new Map() };
    const found = await askAll(questions, () => connectTo(run, database ?? undefined), {
      signal: run.context.signal,
      statementTimeout: 30_000,
    });
    return { database, answers: new Map(eachAnswer(list, found)) };
  };
  if (all.length > 0) run.context.log.progress(`${run.spec.name}: asking what the release notes ask for`);
  const cluster = await ask(
    all.filter(({ scope }) => scope === 'cluster'),
    null,
  );
  const ofDatabases = all.filter(({ scope }) => scope === 'database');
  const databases = await databasesOf(run);
  const closed = databases.filter(({ connectable }) => !connectable).map(({ name }) => name);
  const open = databases.filter(({ connectable }) => connectable);
  const asked: Asked[] = [];
  const waiting = [...open.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, { name, template }] = next;
      asked[index] = await ask(
        template ? ofDatabases.filter(({ templates }) => templates) : ofDatabases,
        name,
      );
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const answersTo = (id: string): [string | null, Answer][] =>
    [cluster, ...asked].flatMap(({ database, answers }) => {
      const answer = answers.get(id);
      return answer ? [[database, answer] as [string | null, Answer]] : [];
    });
  return between.map(({ advice, fixedIn }) => ({
    ...headOf(advice, fixedIn),
    ...conclude(run, advice, answersTo(advice.id), closed),
  }));
}

async function databasesOf(run: Run): ReturnType<typeof listAllDatabases> {
  await using connection = await connectTo(run);
  return await listAllDatabases(connection);
}

/** What does not depend on the database. */
function headOf(
  advice: Advice,
  fixedIn: string,
): Pick<AdviceRecord, 'id' | 'title' | 'fixedIn' | 'why' | 'todo' | 'timing' | 'certainty' | 'link'> {
  const { id, title, why, todo, timing, certainty } = advice;
  return { id, title, fixedIn, why, todo, timing, certainty, link: notesLink(fixedIn) };
}

/** What the answers come to. A question without an answer is never "does not apply". */
function conclude(
  run: Run,
  advice: Advice,
  answers: readonly [string | null, Answer][],
  closed: readonly string[],
): Pick<AdviceRecord, 'state' | 'by' | 'objects' | 'total' | 'seen'> {
  const objects: Found[] = [];
  const seen: string[] = [];
  let total = 0;
  let failed = false;
  let denied = false;
  let safe = false;
  const applies = run.spec.advice === 'apply';
  for (const [database, answer] of answers) {
    const prefix = database === null ? '' : `${database}: `;
    if (answer.kind === 'rows') {
      total += answer.rows[0] ? numberOf(answer.rows[0], 'total') : 0;
      safe ||= answer.rows.some((row) => row.safe === true);
      objects.push(
        ...answer.rows.map((row) => objectOf(database, row, applies && advice.remedy?.kind === 'statements')),
      );
    } else if (answer.kind === 'denied') {
      denied = true;
      seen.push(`${prefix}the user may not see this; needed is: GRANT pg_monitor TO USER;`);
    } else {
      failed = true;
      seen.push(`${prefix}${answer.message}`);
    }
  }
  // initdb filled a template that accepts no connections as it filled the others.
  const script = applies && advice.remedy?.kind === 'script';
  if (advice.templates && (objects.length > 0 || script))
    for (const database of closed) {
      total += 1;
      objects.push({
        database,
        name: 'the whole database',
        sql: null,
        detail: 'accepts no connections, so nobody could look; made by the same initdb',
        // Nobody but initdb closes this one: what a person closed, a person opens.
        state: applies && database !== untouched ? 'left' : 'found',
      });
    }
  const unseen = closed.filter((database) => database !== untouched);
  if (advice.scope === 'database' && advice.sql !== null)
    seen.push(...unseen.map((database) => `${database}: accepts no connections, nobody could look`));
  const nobodyAsked = advice.sql === null;
  const state =
    objects.length > 0
      ? advice.certainty === 'cannot-be-seen'
        ? 'judge'
        : 'applies'
      : failed
        ? 'error'
        : denied || seen.length > 0
          ? 'skipped'
          : nobodyAsked || (advice.templates && closed.length > 0)
            ? 'judge'
            : 'does-not-apply';
  const can = advice.remedy !== null && (advice.remedy.kind !== 'statements' || safe);
  const by = state === 'applies' && applies && can ? 'action' : 'person';
  return { state, by, objects, total, seen };
}

/** @param mayLeave the action works on the list, so what it may not do by itself is left to a person from the start */
function objectOf(database: string | null, row: Record<string, unknown>, mayLeave: boolean): Found {
  return {
    database,
    name: textOf(row, 'object'),
    sql: row.fix === null ? null : textOf(row, 'fix'),
    detail: row.detail === null ? null : textOf(row, 'detail'),
    state: mayLeave && row.safe !== true ? 'left' : 'found',
  };
}
