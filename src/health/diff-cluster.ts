/** What differs in the cluster as a whole. Pure. */
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { archiver, slots } from './diff-replication.ts';
import { compared, fact, notCompared, numbers, type Pair, rules, same } from './fact.ts';
import { standbysOf } from './standbys.ts';

/** Facts of the server, and the part that reads each. */
const serverFacts: ReadonlyArray<readonly [name: string, part: string]> = [
  ['system identifier', 'server'],
  ['timeline', 'server'],
  ['catalog version', 'server'],
  ['in recovery', 'server'],
  ['data checksums', 'server'],
  ['data directory', 'data directory'],
  ['server start', 'server'],
  ['databases', 'roles and databases'],
  ['roles', 'roles and databases'],
  ['memberships', 'roles and databases'],
  ['settings of roles and databases', 'roles and databases'],
  ['tablespaces', 'roles and databases'],
];

function versionFact({ before, after, context }: Pair): FactRecord {
  const right = after.versionNum === context.wantedNum;
  return fact('server', 'server version number', rules.version, right ? 'expected' : 'unexpected', {
    before: String(before.versionNum),
    after: String(after.versionNum),
    why: right ? 'this is the upgrade' : `expected ${context.wantedNum}`,
  });
}

function serverFact(pair: Pair, name: string, part: string): FactRecord {
  const was = pair.before.server[name];
  const is = pair.after.server[name];
  if (was === undefined || is === undefined) {
    const item = { group: 'server', name, rule: rules.equal };
    return notCompared(pair, item, [part], { before: was === undefined, after: is === undefined });
  }
  if (name !== 'server start') return same('server', name, was, is);
  return fact('server', name, rules.restart, was === is ? 'equal' : 'expected', {
    before: was,
    after: is,
    why: was === is ? null : 'the server was restarted',
  });
}

function settings(before: Record<string, string>, after: Record<string, string>): FactRecord[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const differ = names.flatMap((name) => {
    const was = before[name] ?? null;
    const is = after[name] ?? null;
    if (was === is) return [];
    const waited = was === 'waits for a restart' && is !== null;
    return [
      fact('settings', `setting ${name}`, rules.setting, waited ? 'expected' : 'unexpected', {
        before: was,
        after: is,
        why: waited ? 'it waited for a restart' : was === null ? 'new' : is === null ? 'gone' : null,
      }),
    ];
  });
  const equal = names.length - differ.length;
  if (equal === 0) return differ;
  const text = `${equal} ${equal === 1 ? 'setting' : 'settings'}`;
  return [
    fact('settings', 'other settings', rules.setting, 'equal', { before: text, after: text }),
    ...differ,
  ];
}

type Connections = NonNullable<Snapshot['connections']>;

function connections(before: Connections, after: Connections): FactRecord[] {
  const all = (list: Connections): number => list.reduce((sum, { count }) => sum + count, 0);
  const [was, is] = [all(before), all(after)];
  const away = was >= 10 && is * 10 < was;
  return [
    fact('activity', 'client connections', rules.connections, away ? 'alert' : 'not-compared', {
      ...numbers(was, is, 'count'),
      why: away ? 'less than a tenth of the clients came back so far' : `now ${states(after)}`,
    }),
  ];
}

function states(list: Connections): string {
  return list.map(({ state, count }) => `${state} ${count}`).join(', ') || 'none';
}

/** Everything that is no database's own. */
export function clusterFacts(pair: Pair): FactRecord[] {
  const { before, after } = pair;
  const named = (group: string, name: string, rule: string) => ({ group, name, rule });
  const hidden = [before, after].map(({ missing }) =>
    missing.some(({ what }) => what === 'settings of superusers'),
  );
  return [
    versionFact(pair),
    ...serverFacts.map(([name, part]) => serverFact(pair, name, part)),
    ...compared(
      pair,
      named('settings', 'settings', rules.setting),
      ['settings'],
      sides(pair, 'settings'),
      settings,
    ),
    ...(hidden.includes(true)
      ? [
          notCompared(
            pair,
            named('settings', 'settings of superusers', rules.setting),
            ['settings of superusers'],
            {
              before: hidden[0] ?? false,
              after: hidden[1] ?? false,
            },
          ),
        ]
      : []),
    ...compared(
      pair,
      named('replication', 'streaming standbys', rules.equal),
      ['replication'],
      sides(pair, 'replication'),
      () => [same('replication', 'streaming standbys', standbysOf(before), standbysOf(after))],
    ),
    ...compared(
      pair,
      named('replication', 'replication slots', rules.slots),
      ['slots'],
      sides(pair, 'slots'),
      slots,
    ),
    ...compared(
      pair,
      named('replication', 'archiver', rules.archiver),
      ['archiver'],
      sides(pair, 'archiver'),
      archiver,
    ),
    ...compared(
      pair,
      named('activity', 'client connections', rules.connections),
      ['connections'],
      sides(pair, 'connections'),
      connections,
    ),
  ];
}

function sides<K extends keyof Snapshot>({ before, after }: Pair, part: K) {
  return { before: before[part], after: after[part] } as {
    before: NonNullable<Snapshot[K]> | null;
    after: NonNullable<Snapshot[K]> | null;
  };
}
