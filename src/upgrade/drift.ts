/** What changed between the plan that somebody approved and the plan of now, in sentences. Pure. */
import { clip, oneLine } from '../report/escape.ts';
import { formatCount } from '../report/format.ts';
import type { PlanRecord } from '../report/record.ts';

/** What a digest covers: the path of each value, and the value as JSON. */
export type Decision = PlanRecord['decision'];

/** Sentences that are named; the rest is counted. */
const most = 10;
/** Characters of one value. */
const longest = 120;

const names: ReadonlyMap<string, string> = new Map([
  ['target', 'the name of the target'],
  ['from', 'the running version'],
  ['wanted', 'the wanted version'],
  ['systemIdentifier', 'the cluster itself (its system identifier)'],
  ['route', 'the route'],
  ['prove', 'how the backup is proved (backup.prove)'],
  ['onFailure', 'what happens after a failure (on-failure)'],
  ['pause', 'where it pauses (pause)'],
  ['advice.by', 'whether advice is carried out (advice)'],
]);

/** Begins of paths that are told of as a whole, by their own functions. */
const lists = ['steps', 'applications', 'details', 'advice.applies', 'checksDisabled'] as const;

/**
 * At most ten sentences, and one that counts the rest; none for equal plans.
 * @param before of the plan that was approved
 * @param after of the plan of now
 * @param titles of steps by id, where they are known
 */
export function drift(
  before: Decision,
  after: Decision,
  titles: ReadonlyMap<string, string> = new Map(),
): string[] {
  // A path is a key that anybody may have written: `constructor` must not be found where nobody put it.
  const [approved, now] = [bare(before), bare(after)];
  const all = [
    ...single(approved, now),
    ...details(approved, now),
    ...applications(approved, now),
    ...advice(approved, now),
    ...checks(approved, now),
    ...steps(approved, now, titles),
  ];
  const left = all.length - most;
  return left > 0 ? [...all.slice(0, most), `and ${formatCount(left)} more`] : all;
}

function bare(decision: Decision): Decision {
  return Object.assign(Object.create(null), decision);
}

/** Values that stand alone: what runs, what is wanted, what the spec says of the environment. */
function single(approved: Decision, now: Decision): string[] {
  const alone = (path: string): boolean => !lists.some((list) => isIn(path, list));
  const paths = [...new Set([...Object.keys(approved), ...Object.keys(now)])].filter(alone);
  const known = [...names.keys()];
  const rank = (path: string): number =>
    known.includes(path) ? known.indexOf(path) : known.length + paths.indexOf(path);
  return paths
    .toSorted((a, b) => rank(a) - rank(b))
    .flatMap((path) => changed(names.get(path) ?? nameOf(path), approved[path], now[path]));
}

const isIn = (path: string, list: string): boolean =>
  path === list || path.startsWith(`${list}[`) || path.startsWith(`${list}.`);

function nameOf(path: string): string {
  return path.startsWith('environment.') ? `the environment's ${path.slice('environment.'.length)}` : path;
}

function changed(name: string, before: string | undefined, after: string | undefined): string[] {
  if (before === after) return [];
  return [`${name}: ${shown(before)} → ${shown(after)}`];
}

/** A value of the decision as people read it. */
function shown(json: string | undefined): string {
  if (json === undefined) return 'nothing';
  const value: unknown = parsed(json);
  return clip(oneLine(typeof value === 'string' ? value : value === null ? 'not known' : json), longest);
}

/** Values come from a file that anybody may have written. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

/** The elements of a list: for each the rest of the path, and the value. */
function elements(decision: Decision, list: string): Map<string, string>[] {
  const found: Map<string, string>[] = [];
  for (const [path, value] of Object.entries(decision)) {
    const [, index, rest = ''] = path.startsWith(`${list}[`)
      ? (/^\[(\d{1,6})\]\.?(.*)$/s.exec(path.slice(list.length)) ?? [])
      : [];
    if (index === undefined) continue;
    const element = found[Number(index)] ?? new Map<string, string>();
    found[Number(index)] = element.set(rest, value);
  }
  return found.filter((element) => element !== undefined);
}

/** What inspection showed: name and value. */
function details(approved: Decision, now: Decision): string[] {
  const read = (decision: Decision): Map<string, string | undefined> =>
    new Map(elements(decision, 'details').map((pair) => [shown(pair.get('[0]')), pair.get('[1]')]));
  const [before, after] = [read(approved), read(now)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
    changed(name, before.get(name), after.get(name)),
  );
}

/** Elements by what tells them apart; what a value does not tell is told by its place. */
function byKey(list: readonly Map<string, string>[], key: string): Map<string, Map<string, string>> {
  return new Map(list.map((element, index) => [shown(element.get(key) ?? String(index)), element]));
}

function gone(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  return [...before.keys()].filter((name) => !after.has(name));
}

const applicationKeys: readonly (readonly [string, string])[] = [
  ['stop', 'how it is stopped'],
  ['start', 'how it is started'],
  ['health', 'where its health is asked'],
  ['start-timeout', 'how long its start may take'],
];

function applications(approved: Decision, now: Decision): string[] {
  const [before, after] = [approved, now].map((each) => byKey(elements(each, 'applications'), 'name'));
  if (!before || !after) return [];
  const kept = [...after.keys()].filter((name) => before.has(name));
  const order = [...before.keys()].filter((name) => after.has(name)).join() !== kept.join();
  return [
    ...gone(after, before).map((name) => `an application was added: ${name}`),
    ...gone(before, after).map((name) => `an application was removed: ${name}`),
    ...kept.flatMap((name) =>
      applicationKeys.flatMap(([key, words]) => {
        const [was, is] = [part(before.get(name), key), part(after.get(name), key)];
        return was.join('\n') === is.join('\n')
          ? []
          : [`application ${name}, ${words}: ${line(was)} → ${line(is)}`];
      }),
    ),
    ...(order ? ['the order in which applications are stopped and started'] : []),
  ];
}

/** A value, or every value of a list, as JSON. */
function part(element: ReadonlyMap<string, string> | undefined, key: string): string[] {
  return [...(element ?? [])].flatMap(([path, value]) => (isIn(path, key) ? [value] : []));
}

/** Values in one line: a command with its arguments. */
function line(values: readonly string[]): string {
  const word = (text: string): string => (/\s/.test(text) ? JSON.stringify(text) : text);
  return values.length === 0 ? 'nothing' : clip(values.map((value) => word(shown(value))).join(' '), longest);
}

/** The texts of a list of texts. */
function textsOf(decision: Decision, list: string): Map<string, true> {
  return new Map(elements(decision, list).map((element) => [shown(element.get('')), true]));
}

function advice(approved: Decision, now: Decision): string[] {
  const [before, after] = [textsOf(approved, 'advice.applies'), textsOf(now, 'advice.applies')];
  return [
    ...gone(after, before).map((id) => `advice applies that did not: ${id}`),
    ...gone(before, after).map((id) => `advice does not apply any more: ${id}`),
  ];
}

function checks(approved: Decision, now: Decision): string[] {
  const [before, after] = [textsOf(approved, 'checksDisabled'), textsOf(now, 'checksDisabled')];
  return [
    ...gone(after, before).map((id) => `a check was switched off: ${id}`),
    ...gone(before, after).map((id) => `a check is asked that was switched off: ${id}`),
  ];
}

function steps(approved: Decision, now: Decision, titles: ReadonlyMap<string, string>): string[] {
  const [before, after] = [approved, now].map((each) => byKey(elements(each, 'steps'), 'id'));
  if (!before || !after) return [];
  const named = (id: string): string => titles.get(id) ?? id;
  const kept = [...after.keys()].filter((id) => before.has(id));
  const order = [...before.keys()].filter((id) => after.has(id)).join() !== kept.join();
  return [
    ...gone(after, before).map((id) => `a step was added: ${named(id)}`),
    ...gone(before, after).map((id) => `a step was removed: ${named(id)}`),
    ...kept.flatMap((id) => {
      const differs = (key: string): boolean =>
        part(before.get(id), key).join('\n') !== part(after.get(id), key).join('\n');
      const what = [differs('does') ? 'what it runs' : '', differs('undo') ? 'what undoes it' : ''];
      const said = what.filter((text) => text !== '').join(', and ');
      return said === '' ? [] : [`step ${named(id)}: ${said}`];
    }),
    ...(order ? ['the order of the steps'] : []),
  ];
}
