/** Every kind of drift is named in the words of the product, and equal plans have none. */
import { describe, expect, it } from 'vitest';
import { planEmbedded } from '../../src/environments/embedded/plan.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import type { PlanRecord } from '../../src/report/record.ts';
import type { AdviceRecord } from '../../src/report/record-release.ts';
import { drift } from '../../src/upgrade/drift.ts';
import { makePlan } from '../../src/upgrade/plan.ts';
import { load, smallest } from '../spec/specs.ts';
import { applying } from './advice.ts';

interface Circumstances {
  spec?: string;
  from?: string;
  wanted?: string;
  system?: string | null;
  details?: [string, string][];
  advice?: AdviceRecord[];
}

function plan({
  spec = smallest,
  from = '15.17',
  wanted = '15.20',
  ...more
}: Circumstances = {}): PlanRecord {
  const [target] = load(spec);
  if (!target) throw new Error('the spec has no target');
  const facts = { running: parseVersion(from), serving: true, details: more.details ?? [] };
  const system = more.system === undefined ? '7' : more.system;
  return makePlan(target.spec, facts, parseVersion(wanted), system, planEmbedded, more.advice);
}

const shop = '    applications: [{ name: shop, stop: [a, "b c"], start: [b] }]\n';
const two =
  '    applications: [{ name: shop, stop: [a], start: [b] }, { name: jobs, stop: [c], start: [d] }]\n';

function between(approved: Circumstances, now: Circumstances): string[] {
  const [before, after] = [plan(approved), plan(now)];
  const titles = new Map([...before.steps, ...after.steps].map(({ id, title }) => [id, title]));
  expect(before.digest === after.digest).toBe(drift(before.decision, after.decision).length === 0);
  return drift(before.decision, after.decision, titles);
}

it('is nothing between equal plans', () => {
  expect(between({}, {})).toEqual([]);
  expect(drift({}, {})).toEqual([]);
});

it.each<[string, Circumstances, Circumstances, string[]]>([
  [
    'the running version',
    {},
    { from: '15.18' },
    ['the running version: 15.17 → 15.18', 'step Restart on 15.20: what it runs, and what undoes it'],
  ],
  [
    'the wanted version',
    {},
    { wanted: '15.19' },
    [
      'the wanted version: 15.20 → 15.19',
      'step Read the configuration with 15.19: what it runs',
      'step Restart on 15.19: what it runs',
    ],
  ],
  ['the cluster', {}, { system: '8' }, ['the cluster itself (its system identifier): 7 → 8']],
  [
    'a cluster that is not known',
    {},
    { system: null },
    ['the cluster itself (its system identifier): 7 → not known'],
  ],
  [
    'the name of the target',
    {},
    { spec: smallest.replace('orders', 'stock') },
    ['the name of the target: orders → stock'],
  ],
  [
    'the environment',
    {},
    { spec: smallest.replace('/srv/orders, port: 5432', '/srv/other, port: 5433, state: /srv/state') },
    [
      "the environment's data: /srv/orders → /srv/other",
      "the environment's port: 5432 → 5433",
      "the environment's state: nothing → /srv/state",
    ],
  ],
  [
    'what inspection showed',
    {
      details: [
        ['port', '1'],
        ['server programs', '/a'],
      ],
    },
    {
      details: [
        ['server programs', '/b'],
        ['user', 'x'],
      ],
    },
    ['port: 1 → nothing', 'server programs: /a → /b', 'user: nothing → x'],
  ],
  [
    'the proof',
    {},
    { spec: `${smallest}    backup: { prove: none }\n` },
    ['how the backup is proved (backup.prove): restore → none', 'step Back up: what it runs'],
  ],
  [
    'the words of the spec',
    {},
    { spec: `${smallest}    on-failure: stop\n    pause: first\n` },
    ['what happens after a failure (on-failure): rollback → stop', 'where it pauses (pause): none → first'],
  ],
  [
    'an application that was added',
    {},
    { spec: smallest + shop },
    ['an application was added: shop', 'a step was added: Stop shop', 'a step was added: Start shop'],
  ],
  [
    'an application that was removed',
    { spec: smallest + shop },
    {},
    ['an application was removed: shop', 'a step was removed: Stop shop', 'a step was removed: Start shop'],
  ],
  [
    'how an application is stopped, and asked',
    { spec: smallest + shop },
    {
      spec:
        smallest +
        shop
          .replace('[a, "b c"]', '[a, b, c]')
          .replace('start: [b]', 'start: [b], health: "http://127.0.0.1/"'),
    },
    [
      'application shop, how it is stopped: a "b c" → a b c',
      'application shop, where its health is asked: nothing → http://127.0.0.1/',
      'step Start shop: what it runs',
    ],
  ],
  [
    'the order of applications',
    { spec: smallest + two },
    {
      spec:
        smallest +
        two
          .replaceAll('shop', 'x')
          .replaceAll('jobs', 'shop')
          .replaceAll('x', 'jobs')
          .replaceAll('stop: [a], start: [b]', '1')
          .replaceAll('stop: [c], start: [d]', 'stop: [a], start: [b]')
          .replaceAll('1 }', 'stop: [c], start: [d] }'),
    },
    [
      'the order in which applications are stopped and started',
      'step Stop jobs, shop: what it runs',
      'step Start jobs, shop: what it runs',
    ],
  ],
  [
    'advice',
    { advice: [applying('a', { by: 'person' }), applying('b', { by: 'person' })] },
    { advice: [applying('b', { by: 'person', total: 9 }), applying('c', { by: 'person' })] },
    ['advice applies that did not: c', 'advice does not apply any more: a'],
  ],
  [
    'checks',
    { spec: `${smallest}    checks: { disable: [wal, disk-space] }\n`.replace('wal, ', '') },
    { spec: `${smallest}    checks: { disable: [extensions] }\n` },
    ['a check was switched off: extensions', 'a check is asked that was switched off: disk-space'],
  ],
])('names %s', (_what, approved, now, sentences) => expect(between(approved, now)).toEqual(sentences));

it('names ten and counts the rest', () => {
  const many = Array.from({ length: 12 }, (_, index) => applying(`advice-${index}`, { by: 'person' }));
  const found = between({}, { advice: many });
  expect(found).toHaveLength(11);
  expect(found.slice(9)).toEqual(['advice applies that did not: advice-9', 'and 2 more']);
});

describe('with what anybody may have written', () => {
  it('cuts long values, keeps to one line, and does not take a part of a command for the whole', () => {
    const long = 'x'.repeat(500);
    expect(drift({ route: JSON.stringify(`a\n::error::b${long}`) }, { route: '"c"' })[0]).toMatch(
      /^the route: a ⏎ ::error::bx{100,}… \(\d+ more characters\) → c$/,
    );
    const step = (does: string): PlanRecord['decision'] => ({
      'steps[0].id': '"backup"',
      'steps[0].does[0]': JSON.stringify(long + does),
    });
    expect(drift(step('a'), step('b'))).toEqual(['step backup: what it runs']);
  });

  it('takes strange paths and values as they are', () => {
    expect(drift({ constructor: 'not json', 'steps[x].id': '1' }, { 'steps[999999].id': '"late"' })).toEqual([
      'constructor: not json → nothing',
      'a step was added: late',
    ]);
  });
});
