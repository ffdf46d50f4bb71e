/** What differs in one database. Pure. */
import type { FactRecord } from '../report/record.ts';
import type { DatabaseSnapshot } from '../report/snapshot.ts';
import { activity, tables } from './diff-figures.ts';
import { compared, fact, numbers, type Pair, rules, same } from './fact.ts';

type Part<K extends keyof DatabaseSnapshot> = NonNullable<DatabaseSnapshot[K]>;

/** Schemas with an item of their own; where more of them are as before, the rest is told in one. */
const schemasAtMost = 10;

const major = (versionNum: number): number => Math.floor(versionNum / 10_000);

function objects(pair: Pair, name: string, before: Part<'objects'>, after: Part<'objects'>): FactRecord[] {
  // NOT NULL is counted among constraints from 18 on.
  const crossing = major(pair.before.versionNum) !== major(pair.after.versionNum);
  const kindsOf = (list: Part<'objects'>, schema: string): Map<string, number> =>
    new Map(
      list
        .filter((row) => row.schema === schema && !(crossing && row.kind === 'not-null constraints'))
        .map(({ kind, count }) => [kind, count]),
    );
  const schemas = [...new Set([...before, ...after].map(({ schema }) => schema))].sort();
  const items = schemas.map((schema) => {
    const [was, is] = [kindsOf(before, schema), kindsOf(after, schema)];
    const kinds = [...new Set([...was.keys(), ...is.keys()])].sort();
    const differ = kinds.filter((kind) => was.get(kind) !== is.get(kind));
    const shown = (counts: Map<string, number>): string =>
      (differ.length > 0 ? differ : kinds).map((kind) => `${kind} ${counts.get(kind) ?? 0}`).join(', ');
    return same('objects', `${name}: objects of ${schema}`, shown(was), shown(is));
  });
  const equal = items.filter(({ verdict }) => verdict === 'equal');
  if (equal.length <= schemasAtMost) return items;
  const text = `${equal.length} schemas as before`;
  return [
    ...items.filter(({ verdict }) => verdict !== 'equal'),
    same('objects', `${name}: objects of other schemas`, text, text),
  ];
}

function extensions(name: string, before: Part<'extensions'>, after: Part<'extensions'>): FactRecord[] {
  const text = (list: Part<'extensions'>): string =>
    list.map((extension) => `${extension.name} ${extension.version}`).join(', ') || 'none';
  const names = [...new Set([...before, ...after].map((extension) => extension.name))].sort();
  const version = (list: Part<'extensions'>, wanted: string): string | null =>
    list.find((extension) => extension.name === wanted)?.version ?? null;
  const differ = names.filter((each) => version(before, each) !== version(after, each));
  if (differ.length === 0) return [same('extensions', `${name}: extensions`, text(before), text(after))];
  return differ.map((each) =>
    fact('extensions', `${name}: extension ${each}`, rules.equal, 'unexpected', {
      before: version(before, each),
      after: version(after, each),
    }),
  );
}

function broken(name: string, before: Part<'invalid'>, after: Part<'invalid'>): FactRecord[] {
  return (['indexes', 'constraints'] as const).map((kind) => {
    const [was, is] = [before[kind], after[kind]];
    const verdict = is > was ? 'unexpected' : is < was ? 'expected' : 'equal';
    return fact(
      'objects',
      `${name}: ${kind === 'indexes' ? 'invalid indexes' : 'constraints that are not validated'}`,
      rules.broken,
      verdict,
      {
        ...numbers(was, is, 'count'),
        why: is < was ? 'somebody mended them' : null,
      },
    );
  });
}

function sequences(name: string, before: Part<'sequences'>, after: Part<'sequences'>): FactRecord[] {
  const sum = (verdict: FactRecord['verdict'], why: string | null): FactRecord =>
    fact('sequences', `${name}: sum of ascending sequences`, rules.forward, verdict, {
      before: before.sum,
      after: after.sum,
      why,
    });
  const fallen = after.behind.filter((each) => !before.behind.includes(each));
  const text = ({ behind, compared: looked, count }: Part<'sequences'>): string =>
    `${behind.length} of ${looked} behind${count > looked ? `, ${count - looked} not compared` : ''}`;
  // One that could not be looked at before may have been behind before.
  const sure = before.compared >= after.compared;
  return [
    before.summed !== after.summed
      ? sum('not-compared', `${before.summed} sequences then, ${after.summed} now`)
      : BigInt(after.sum) < BigInt(before.sum)
        ? sum('unexpected', 'a sequence went back')
        : sum(
            before.sum === after.sum ? 'equal' : 'expected',
            before.sum === after.sum ? null : 'applications went on writing',
          ),
    fact(
      'sequences',
      `${name}: sequences behind their column`,
      rules.behind,
      fallen.length === 0
        ? after.behind.length < before.behind.length
          ? 'expected'
          : before.compared + after.compared === 0 && before.count + after.count > 0
            ? 'not-compared'
            : 'equal'
        : sure
          ? 'unexpected'
          : 'alert',
      {
        before: text(before),
        after: text(after),
        why:
          fallen.length > 0
            ? `${fallen.slice(0, 10).join(', ')}${fallen.length > 10 ? ` and ${fallen.length - 10} more` : ''}: the next number is taken already`
            : before.compared + after.compared === 0 && before.count + after.count > 0
              ? 'no sequence fills a column with an index that we may read'
              : null,
      },
    ),
  ];
}

/** Everything about one database that both snapshots know. */
export function databaseFacts(pair: Pair, before: DatabaseSnapshot, after: DatabaseSnapshot): FactRecord[] {
  const { name } = before;
  const part = <K extends keyof DatabaseSnapshot>(
    key: K,
    what: string,
    group: string,
    title: string,
    rule: string,
    compare: (was: Part<K>, is: Part<K>) => FactRecord[],
  ): FactRecord[] =>
    compared<Part<K>>(
      pair,
      { group, name: `${name}: ${title}`, rule },
      [what === 'activity' ? what : `${name}: ${what}`, `database ${name}`],
      { before: before[key] as Part<K> | null, after: after[key] as Part<K> | null },
      compare,
    );
  return [
    ...part('bytes', 'size', 'tables', 'size in bytes', rules.told, (was, is) => [
      fact('tables', `${name}: size in bytes`, rules.told, 'not-compared', {
        ...numbers(was, is, 'bytes'),
        why: 'moves by itself',
      }),
    ]),
    ...part('objects', 'objects', 'objects', 'objects', rules.equal, (was, is) =>
      objects(pair, name, was, is),
    ),
    ...part('grants', 'grants', 'grants', 'grants', rules.equal, (was, is) => [
      same(
        'grants',
        `${name}: grants`,
        `${was.objects} objects, md5 ${was.hash}`,
        `${is.objects} objects, md5 ${is.hash}`,
      ),
    ]),
    ...part('extensions', 'extensions', 'extensions', 'extensions', rules.equal, (was, is) =>
      extensions(name, was, is),
    ),
    ...part('invalid', 'invalid', 'objects', 'invalid objects', rules.broken, (was, is) =>
      broken(name, was, is),
    ),
    ...part('sequences', 'sequences', 'sequences', 'sequences', rules.forward, (was, is) =>
      sequences(name, was, is),
    ),
    ...part('tables', 'tables', 'tables', 'tables', rules.equal, (was, is) => tables(name, was, is)),
    ...part('activity', 'activity', 'activity', 'activity', rules.told, (was, is) =>
      activity(pair, name, was, is),
    ),
  ];
}
