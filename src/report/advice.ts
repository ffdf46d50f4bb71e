/** What the release notes ask, sorted by what it means for a reader, and in words. */
import { plural } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import type { AdviceRecord } from './record-release.ts';

/** Advice by what a reader has to do with it. */
interface SortedAdvice {
  /** Somebody must act: it applies, or the action could not carry it out whole. */
  readonly applies: readonly AdviceRecord[];
  /** The question could not be answered: a right is missing, or it failed. */
  readonly unanswered: readonly AdviceRecord[];
  /** The database does not tell whether it applies. */
  readonly judge: readonly AdviceRecord[];
  /** The action carried it out. */
  readonly done: readonly AdviceRecord[];
  readonly notApplicable: readonly AdviceRecord[];
}

const TIMINGS = ['before', 'order', 'either', 'after'] as const;
const APPLIES = ['failed', 'partly', 'applies'] as const;

/** What was tried and failed first, then by when it has to be done. */
export function sortAdvice(advice: readonly AdviceRecord[]): SortedAdvice {
  const of = (...states: readonly AdviceRecord['state'][]): AdviceRecord[] =>
    advice
      .filter(({ state }) => states.includes(state))
      .toSorted(
        (a, b) =>
          states.indexOf(a.state) - states.indexOf(b.state) ||
          TIMINGS.indexOf(a.timing) - TIMINGS.indexOf(b.timing),
      );
  return {
    applies: of(...APPLIES),
    unanswered: of('error', 'skipped'),
    judge: of('judge'),
    done: of('done'),
    notApplicable: of('does-not-apply'),
  };
}

/** One sentence for all of it; null where nobody looked. */
export function adviceHeadline(record: UpgradeRecord): string | null {
  if (record.advice.length === 0 && record.release === null) return null;
  const { applies, unanswered, done } = sortAdvice(record.advice);
  const where = `in the release notes from ${record.versions.from ?? 'the running version'} to ${record.versions.wanted}`;
  const carried = done.length === 0 ? '' : `, ${done.length} carried out`;
  if (applies.length > 0)
    return `${plural(applies.length, 'thing')} ${where} ${applies.length === 1 ? 'asks' : 'ask'} something of this database${carried}.`;
  if (done.length > 0)
    return `Everything ${where} that this database needs was carried out: ${plural(done.length, 'thing')}.`;
  const known = unanswered.length === 0 ? 'Nothing' : 'Nothing that could be asked';
  const calm = `${known} ${where} was found to concern this database.`;
  if (!record.release?.mustRead.length) return calm;
  const none = record.advice.length === 0 ? ' No advice is known for this way: read the notes.' : '';
  return `${calm} The notes named above must be read by a person.${none}`;
}

/** `2 apply, 1 could not be asked, 3 cannot be seen from the database, 18 do not apply` */
export function countAdvice(advice: readonly AdviceRecord[]): string {
  const { applies, unanswered, judge, done, notApplicable } = sortAdvice(advice);
  if (advice.length > 0 && notApplicable.length === advice.length) return `none of ${advice.length} applies`;
  const parts: [number, string, string][] = [
    [applies.length, 'applies', 'apply'],
    [unanswered.length, 'could not be asked', 'could not be asked'],
    [done.length, 'carried out', 'carried out'],
    [judge.length, 'cannot be seen from the database', 'cannot be seen from the database'],
    [notApplicable.length, 'does not apply', 'do not apply'],
  ];
  const shown = parts.flatMap(([count, one, many]) =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : many}`],
  );
  return shown.length === 0 ? 'nothing found' : shown.join(', ');
}

/** How sure it is that these are the objects. */
export function certaintyWords({ certainty, total }: AdviceRecord): string {
  switch (certainty) {
    case 'exact':
      return total === 0 ? 'Certain' : `Exactly these: ${plural(total, 'object')}`;
    case 'candidates':
      return total === 0 ? 'Candidates only' : `Candidates: ${plural(total, 'object')} that may need it`;
    case 'cannot-be-seen':
      return total === 0
        ? 'Cannot be seen from the database'
        : `Cannot be seen from the database; ${plural(total, 'object')} where it could matter`;
  }
}

/** When it has to be done. */
export function timingWords(timing: AdviceRecord['timing']): string {
  switch (timing) {
    case 'before':
      return 'before the upgrade';
    case 'after':
      return 'after the upgrade';
    case 'either':
      return 'before or after the upgrade';
    case 'order':
      return 'in the right order of servers';
  }
}

/** Who carries it out, and what came of it. */
export function byWords({ by, state }: AdviceRecord): string {
  switch (state) {
    case 'failed':
      return 'The action tried and failed; a person has to do it';
    case 'partly':
      return 'The action did a part; a person has to do the rest';
    case 'done':
      return 'The action has done it';
    default:
      return by === 'action' ? 'The action does it' : 'A person does it';
  }
}

/** The objects of a database, and the statements that are still to run in it. */
interface ObjectGroup {
  /** Several where the same is to do in each; null for the whole cluster. */
  readonly databases: readonly (string | null)[];
  readonly objects: AdviceRecord['objects'];
  readonly sql: readonly string[];
}

/** Objects by database, those of the whole cluster first. Every statement ends in a semicolon: they are run together. */
export function objectsByDatabase(objects: AdviceRecord['objects']): ObjectGroup[] {
  const found = Map.groupBy(objects, ({ database }) => database);
  const ordered = [...found].toSorted(([a], [b]) => Number(a !== null) - Number(b !== null));
  const groups = new Map<string, ObjectGroup>();
  for (const [database, list] of ordered) {
    const open = list.filter(({ state }) => state !== 'done');
    const sql = open.flatMap((object) => (object.sql === null ? [] : statement(object.sql)));
    const same = JSON.stringify(list.map(({ database: _, ...rest }) => rest));
    const place = database === null ? `cluster ${same}` : same;
    const databases = [...(groups.get(place)?.databases ?? []), database];
    groups.set(place, { databases, objects: list, sql });
  }
  return [...groups.values()];
}

function statement(sql: string): string[] {
  const text = sql.trim();
  if (text === '') return [];
  if (text.endsWith(';')) return [text];
  // After a comment the semicolon would belong to it.
  return [/--[^\n]*$/.test(text) ? `${text}\n;` : `${text};`];
}
