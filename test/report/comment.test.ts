import { describe, expect, it } from 'vitest';
import type { AtMergeFacts } from '../../src/report/change-words.ts';
import { type CommentFacts, newsOf, renderComment } from '../../src/report/comment.ts';
import { renderLeft } from '../../src/report/comment-left.ts';
import { renderGreen, renderIssue } from '../../src/report/issue.ts';
import { isMarked, marker } from '../../src/report/marker.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import type { ChangeRecord } from '../../src/report/record-change.ts';
import type { RehearsalRecord } from '../../src/report/record-rehearsal.ts';
import { rehearsalGoesOn } from '../../src/report/refusals.ts';
import { planRecord, refusedRecord } from './fixture.ts';
import { richCheckRecord } from './fixture-check.ts';
import { release, richAdvice } from './fixture-release.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

const facts: CommentFacts = {
  marker: marker('comment', 'postgres-upgrade.yaml', 'orders'),
  atMerge: 'upgrade-minor',
  windows: ['fri, sat 22:00-04:00 Europe/Berlin'],
  requireRehearsal: '7d',
  wave: 2,
  risk: { class: 'minor', reasons: ['15.17 → 15.18 is a minor version.'] },
};

const minor: ChangeRecord = {
  event: 'pull_request',
  number: 7,
  base: 'b'.repeat(40),
  head: 'a'.repeat(40),
  kind: 'minor',
  from: '15.17',
  to: '15.18',
  others: [],
  why: null,
};

function record(changes: Partial<UpgradeRecord> = {}): UpgradeRecord {
  return { ...planRecord(), change: minor, ...changes };
}

const rehearsal: RehearsalRecord = {
  passed: true,
  ranOn: '15.18',
  exact: true,
  scratch: { kind: 'embedded', where: 'a package', isolation: [] },
  backup: {
    from: 'fresh',
    location: '/backups/orders',
    taken: '2026-11-20T18:00:00.000Z',
    server: '15.17',
    manifestSha256: '00',
  },
  stages: [
    { id: 'restore', title: 'Restore', state: 'passed', durationMs: 62_000, output: ['4 databases'] },
    { id: 'smoke', title: 'Smoke queries', state: 'skipped', durationMs: 0, output: [] },
  ],
  measures: {
    restoreMs: 62_000,
    indexBuildMs: 20_000,
    adviceMs: null,
    stopMs: 300,
    startMs: 700,
    expectedDowntimeMs: 1_000,
    downtimeBasis: 'a measured stop and start',
    dumpBytes: 1024,
    restoredBytes: 2048,
    neededBytes: 4096,
  },
  databases: [],
};

const routeMajor = {
  at: '2026-11-20T18:00:00.000Z',
  code: 'route-major',
  what: '15.17 → 16.3 is another major.',
  hint: 'Dump and restore it.',
  resolution: rehearsalGoesOn,
};

const unanswered = (id: string, title: string, seen: string[]): UpgradeRecord['checks'][number] => ({
  id,
  title,
  when: 'before',
  status: 'error',
  seen,
  fix: 'Find out why.',
  docs: `checks.md#${id}`,
});

const line = (text: string, label: string): string =>
  text.split('\n').find((each) => each.startsWith(`| **${label}**`)) ?? 'none';

it('is what a DBA would sign: exactly this', () => {
  const text = renderComment(
    record({
      mode: 'rehearse',
      verdict: 'The rehearsal of 15.18 passed. The target was only read.',
      rehearsal,
      release: {
        ...release,
        cves: release.cves.slice(0, 1),
        cvesUnknown: [],
        lines: [],
        behind: 0,
        mustRead: [],
      },
      plan: {
        digest: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
        route: 'minor-in-place',
        from: '15.17',
        wanted: '15.18',
        steps: [],
        notes: [],
        decision: {},
        risk: facts.risk,
        downtime: { expectedMs: null, basis: 'nobody measured it yet' },
      },
    }),
    facts,
  );
  // The plan is the one of every other report.
  const shown = text.replace(/<details>\n<summary>Plan: minor-in-place, 0 steps<[\s\S]*?<\/details>/, 'PLAN');
  expect(shown).toBe(`<!-- postgres-upgrade:comment spec=postgres-upgrade.yaml target=orders -->
## ✅ orders: 15.17 → 15.18, minor version: rehearsed, nothing blocks it

The rehearsal of 15.18 passed. The target was only read.

| | |
| - | - |
| **Target** | \`orders\` (debian) |
| **PostgreSQL** | 15.17 → 15.18 |
| **Change** | minor version |
| **Risk** | **minor**<br>15.17 → 15.18 is a minor version. |
| **Security** | 1 CVE fixed, 1 with a score of 7 or more, highest 8.8 |
| **Release notes** | nothing found |
| **Checks** | none were made |
| **Rehearsal** | passed on 15.18 from a backup of 15.17, restored in 1 min 2 s |
| **Expected downtime** | 1.00 s (a measured stop and start) |
| **At merge** | The target is upgraded to PostgreSQL 15.18.<br>Only in its maintenance windows: fri, sat 22:00-04:00 Europe/Berlin. Outside of them it is refused at merge: run the failed job again when one is open.<br>Only with a passed rehearsal of these versions that is not older than 7d.<br>It is of wave 2: until the earlier waves are green, and were for as long as the spec says, it is refused: run the failed job again then. |

<details>
<summary>Rehearsal: passed</summary>

Backup of 15.17 from 2026-11-20 18:00 UTC (fresh).

Scratch server: embedded, a package.

| Stage | State | Took | Said |
| - | - | - | - |
| Restore | passed | 1 min 2 s | 4 databases |
| Smoke queries | skipped | 0 s | |

Restore 1 min 2 s, Indexes and constraints 20.0 s, Stop 0.30 s, Start 0.70 s, Restored copy 2.0 KiB, Disk for backup and copy 4.0 KiB.

</details>

<details>
<summary>1 CVE fixed, 1 with a score of 7 or more, highest 8.8</summary>

| CVE | Score | Component | Fixed in |
| - | - | - | - |
| CVE-2026-2000 | **8.8** high | ${release.cves[0]?.component} | ${release.cves[0]?.fixedIn} |

</details>

PLAN

<sub>Head \`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\`, mode rehearse, plan \`b5bb9d8014a0\`.</sub>
`);
});

describe('the first line', () => {
  const rehearsed = {
    at: '2026-11-20T15:00:00.000Z',
    passed: true,
    from: '15.17',
    wanted: '15.18',
    exact: true,
    run: 'run 1.1 by mona',
    expectedDowntimeMs: null,
    restoreMs: null,
    failure: null,
    taken: null,
    basis: 'b',
  };
  it.each<[string, Partial<UpgradeRecord>]>([
    ['## ✅ orders: 15.17 → 15.18, minor version: nothing blocks it, not rehearsed yet', {}],
    ['## ✅ orders: 15.17 → 15.18, minor version: nothing blocks it, rehearsed', { rehearsed }],
    [
      '## ⚠️ orders: 15.17 → 15.18, minor version: nothing blocks it, but the last rehearsal failed',
      { rehearsed: { ...rehearsed, passed: false, failure: 'restore' } },
    ],
    [
      '## ⚠️ orders: 15.17 → 15.18, minor version, and 2 other changes: nothing blocks it, not rehearsed yet',
      { change: { ...minor, others: ['backup.prove', 'soak'] } },
    ],
    [
      '## ⚠️ orders: 15.17 → 16.3, major version: nothing blocks it, not rehearsed yet',
      { change: { ...minor, kind: 'major', to: '16.3' } },
    ],
    [
      '## ⚠️ orders: 15.18-bookworm → 15.18-trixie, another distribution of the image: nothing to do',
      {
        result: 'skipped',
        change: { ...minor, kind: 'distribution', from: '15.18-bookworm', to: '15.18-trixie' },
      },
    ],
    ['## ⛔ orders: 15.17 → 15.18, minor version: 2 things block it', { ...refusedRecord(), change: minor }],
    ['## ❌ orders: 15.17 → 15.18, minor version: no plan could be made', { result: 'failed', plan: null }],
    [
      '## ❌ orders: 15.17 → 15.18, minor version: the rehearsal failed',
      { result: 'failed', rehearsal: { ...rehearsal, passed: false } },
    ],
    [
      '## ⚠️ orders: 15.17 → 15.18, what changes is not known: nothing blocks it, not rehearsed yet',
      { change: { ...minor, kind: 'unknown', from: null } },
    ],
    ['## ⏹️ orders: 15.17 → 15.18, minor version: the run was cancelled', { result: 'cancelled' }],
    [
      '## ⚠️ orders: 15.17 → 15.18, minor version: nothing blocks it, rehearsed on another minor version',
      { rehearsed: { ...rehearsed, exact: false } },
    ],
    [
      '## ✅ orders: 15.17 → 15.18, minor version: rehearsed, nothing blocks it',
      { mode: 'rehearse', rehearsal },
    ],
    [
      '## ⚠️ orders: 15.17 → 15.18, minor version: rehearsed on 15.17, not on 15.18',
      { mode: 'rehearse', rehearsal: { ...rehearsal, exact: false, ranOn: '15.17' } },
    ],
    [
      '## ⛔ orders: 15.17 → 15.18, minor version: rehearsed, but 1 thing blocks the upgrade',
      { mode: 'rehearse', rehearsal, checks: [unanswered('space', 'There is room', ['no answer'])] },
    ],
    [
      '## ✅ orders: 15.17 → 15.18, minor version: rehearsed, nothing blocks it',
      {
        mode: 'rehearse',
        rehearsal,
        checks: [{ ...unanswered('space', 'There is room', ['no answer']), when: 'after' }],
      },
    ],
    [
      '## ⛔ orders: 15.17 → 16.3, major version: rehearsed on 15.17, not on 15.18, but 2 things block the upgrade',
      {
        mode: 'rehearse',
        change: { ...minor, kind: 'major', to: '16.3' },
        plan: null,
        rehearsal: { ...rehearsal, exact: false, ranOn: '15.17' },
        issues: [routeMajor, { ...routeMajor, code: 'binaries-unavailable' }],
      },
    ],
    [
      '## ❌ orders: 15.17 → 15.18, minor version: the rehearsal failed, and 1 thing blocks the upgrade',
      {
        mode: 'rehearse',
        result: 'failed',
        rehearsal: { ...rehearsal, passed: false },
        // The same code of a scratch server says nothing about the target.
        issues: [
          routeMajor,
          { ...routeMajor, code: 'binaries-unavailable', resolution: 'The target was only read.' },
        ],
      },
    ],
  ])('%s', (expected, changes) => {
    expect(renderComment(record(changes), facts).split('\n')[1]).toBe(expected);
  });

  it('warns of a known-bad version', () => {
    expect(
      renderComment(record(), { ...facts, risk: { class: 'known-bad', reasons: ['x'] } }).split('\n')[1],
    ).toMatch(/^## ⚠️ /);
  });
});

describe('what else changes', () => {
  it('is loud', () => {
    expect(
      renderComment(record({ change: { ...minor, others: ['applications[0].stop[0]', 'soak'] } }), facts),
    ).toContain(
      '\n\n> [!WARNING]\n> **This is more than a version.** It also changes `applications[0].stop[0]`, `soak` of `orders`. Read these lines before you merge.\n\n| | |',
    );
  });

  it('is said to be unknown where it is', () => {
    expect(
      renderComment(record({ change: { ...minor, kind: 'unknown', why: 'no token' } }), facts),
    ).toContain(
      '> What this pull request changes at `orders` is not known: no token. It does not count as a minor version.',
    );
  });

  it('shows what runs where that is not what the spec said', () => {
    const text = renderComment(record({ versions: { from: '15.16', wanted: '15.18', now: '15.16' } }), facts);
    expect(line(text, 'PostgreSQL')).toBe('| **PostgreSQL** | 15.17 → 15.18; 15.16 runs now |');
  });
});

describe('at merge', () => {
  const said = (
    atMerge: AtMergeFacts['atMerge'],
    change: ChangeRecord | null,
    more: Partial<UpgradeRecord> = {},
  ) =>
    line(
      renderComment(record({ change, ...more }), {
        ...facts,
        windows: [],
        requireRehearsal: null,
        wave: 1,
        atMerge,
      }),
      'At merge',
    );
  const byHand = 'A person starts the upgrade (mode upgrade).';

  it.each<[AtMergeFacts['atMerge'], ChangeRecord | null, string]>([
    ['nothing', minor, `Nothing happens by itself.<br>${byHand}`],
    ['plan', minor, `A plan is made from what was merged; nothing is upgraded by itself.<br>${byHand}`],
    ['upgrade-minor', minor, 'The target is upgraded to PostgreSQL 15.18.'],
    [
      'upgrade-minor',
      { ...minor, kind: 'major' },
      `Nothing happens by itself: only minor versions are upgraded at a merge, and this is: major version.<br>${byHand}`,
    ],
    [
      'upgrade-minor',
      { ...minor, kind: 'unknown' },
      `Nothing happens by itself: only minor versions are upgraded at a merge, and this is: what changes is not known.<br>${byHand}`,
    ],
    [
      'upgrade-minor',
      { ...minor, others: ['backup.prove'] },
      `Nothing happens by itself: more of the target changes than its version (1 key).<br>${byHand}`,
    ],
    ['upgrade-minor', null, `Nothing happens by itself: what changes is not known.<br>${byHand}`],
    ['upgrade', { ...minor, kind: 'major' }, 'The target is upgraded to PostgreSQL 15.18.'],
  ])('%s', (atMerge, change, expected) => {
    expect(said(atMerge, change)).toBe(`| **At merge** | ${expected} |`);
  });

  it('says that what blocks now would block then', () => {
    expect(said('upgrade-minor', minor, { result: 'refused' })).toContain(
      '<br>As it stands it would be refused: what blocks is below.',
    );
  });

  const upgraded = 'The target is upgraded to PostgreSQL 15.18.';
  const refused = 'As it stands it would be refused: what blocks is below.';
  const failed: RehearsalRecord = {
    ...rehearsal,
    passed: false,
    stages: [{ id: 'restore', title: 'Restore', state: 'failed', durationMs: 1, output: ['no'] }],
  };
  const checks = [unanswered('space', 'There is room', ['no answer'])];
  const plain = { windows: [], requireRehearsal: null, wave: 1, atMerge: 'upgrade-minor' as const };
  it.each<[string, Partial<UpgradeRecord>, Partial<AtMergeFacts>, string[]]>([
    ['a rehearsal that passed, and a check that blocks', { rehearsal, checks }, {}, [upgraded, refused]],
    ['a rehearsal that passed, and no plan', { rehearsal, issues: [routeMajor] }, {}, [upgraded, refused]],
    [
      'a rehearsal that failed, where none is demanded',
      { result: 'failed', rehearsal: failed, checks: [{ ...checks[0], status: 'passed' } as never] },
      {},
      [upgraded, 'The failed rehearsal does not keep it from being upgraded: set require-rehearsal.'],
    ],
    [
      'a rehearsal that failed, where one is demanded',
      { result: 'failed', rehearsal: failed, checks: [{ ...checks[0], status: 'passed' } as never] },
      { requireRehearsal: '7d' },
      [
        upgraded,
        'Without another rehearsal it would be refused: the last one failed.',
        'Only with a passed rehearsal of these versions that is not older than 7d.',
      ],
    ],
    [
      'a rehearsal elsewhere, where one is demanded',
      { rehearsal: { ...rehearsal, exact: false, ranOn: '15.17' } },
      { requireRehearsal: '7d' },
      [
        upgraded,
        'Without another rehearsal it would be refused: the last one did not run on 15.18.',
        'Only with a passed rehearsal of these versions that is not older than 7d.',
      ],
    ],
    [
      'a target that could not be opened',
      { result: 'failed', plan: null, issues: [{ ...routeMajor, code: 'secret-missing', resolution: '' }] },
      { atMerge: 'plan' },
      [
        'A plan is made from what was merged; nothing is upgraded by itself.',
        byHand,
        'Whether it would be refused is not known: this run did not see enough.',
      ],
    ],
  ])('of %s', (_, changes, facts2, expected) => {
    const text = renderComment(record({ mode: 'rehearse', ...changes }), { ...facts, ...plain, ...facts2 });
    expect(line(text, 'At merge')).toBe(`| **At merge** | ${expected.join('<br>')} |`);
  });
});

it('says nothing of an upgrade where the run was refused for what the pull request changes', () => {
  const issues = [{ ...routeMajor, code: 'pull-request-change', resolution: 'Nothing was changed.' }];
  const text = renderComment(
    record({ result: 'refused', plan: null, issues, verdict: issues[0]?.what ?? '' }),
    {
      ...facts,
      windows: [],
      requireRehearsal: null,
      wave: 1,
    },
  );
  expect(text.split('\n')[1]).toBe('## ⛔ orders: 15.17 → 15.18, minor version: refused');
  expect(line(text, 'At merge')).toBe(
    '| **At merge** | The target is upgraded to PostgreSQL 15.18.<br>Whether it would be refused is not known: this run did not see enough. |',
  );
});

describe('what blocks', () => {
  it('is said once in an issue', () => {
    const text = renderIssue(record({ result: 'failed', plan: null, issues: [routeMajor] }), facts.marker);
    expect(text.match(/`route-major`/g)).toHaveLength(1);
  });

  it('has why no plan could be made, though the rehearsal passed', () => {
    const text = renderComment(
      record({ mode: 'rehearse', plan: null, rehearsal, issues: [routeMajor] }),
      facts,
    );
    expect(text).toContain(
      '\n\n### Why no plan could be made\n\n- `route-major`: 15.17 → 16.3 is another major.<br>To do: Dump and restore it.\n\n',
    );
  });

  it('does not say again what the verdict says', () => {
    const text = renderComment(
      record({ result: 'failed', plan: null, issues: [routeMajor], verdict: `${routeMajor.what} Nothing.` }),
      facts,
    );
    expect(text).not.toContain('### Why no plan');
  });

  it('has unanswered checks of one reason once', () => {
    const checks = Array.from({ length: 13 }, (_, index) =>
      unanswered(`check-${index}`, `Title ${index}`, [
        'billing: watcher@127.0.0.1/billing cannot be reached: permission denied for database "billing".',
        'h"r: watcher@127.0.0.1/hr cannot be reached: permission denied for database "hr".',
      ]),
    );
    const text = renderComment(
      record({ result: 'refused', checks: [...checks, unanswered('other', 'Other', ['timeout'])] }),
      facts,
    );
    expect(text).toContain(`### Could not be answered

- **13 checks: Title 0; Title 1; Title 2; Title 3; Title 4; Title 5; Title 6; Title 7; Title 8; Title 9 and 3 more**: permission denied for database "billing", "hr"<br>To do: As a superuser: GRANT CONNECT ON DATABASE "billing", "hr" TO role; with the user of the connection as role.
- **Other**: timeout<br>To do: Find out why.

`);
  });

  it('tells what does not hold on a copy from what blocks', () => {
    const check = { ...unanswered('x', 'X', ['seen']), status: 'blocked' as const, when: 'after' as const };
    const text = renderComment(
      record({ mode: 'rehearse', result: 'failed', rehearsal, checks: [check] }),
      facts,
    );
    expect(text).toContain(
      '### Does not hold on the copy\n\n- **not so: X**: seen<br>To do: Find out why.\n',
    );
    expect(text).not.toContain('### Blocks the upgrade');
  });
});

describe('the next step', () => {
  it('shows what a program printed as it is', () => {
    const next = [
      'pg_restore: error: could not execute query: ERROR:  syntax error at or near "x"',
      'LINE 1: SELECT x',
      '               ^',
      'Command was: CREATE VIEW v AS',
      'SELECT x;',
      'Drop the view, then rehearse again:',
      '  psql -c "DROP VIEW v"',
    ].join('\n');
    expect(renderComment(record({ result: 'failed', next }), facts)).toContain(`### Next

\`\`\`
pg_restore: error: could not execute query: ERROR:  syntax error at or near "x"
LINE 1: SELECT x
               ^
Command was: CREATE VIEW v AS
SELECT x;
\`\`\`

Drop the view, then rehearse again:

\`\`\`sh
psql -c "DROP VIEW v"
\`\`\`
`);
  });
});

describe('the limit', () => {
  const many = (count: number): UpgradeRecord => {
    const rich = richCheckRecord();
    const { plan } = planRecord();
    return {
      ...rich,
      plan: plan && { ...plan, steps: Array.from({ length: count }, () => plan.steps).flat() },
      change: {
        ...minor,
        others: Array.from({ length: count }, (_, index) => `applications[${index}].stop[0]`),
      },
      advice: Array.from({ length: count }, () => richAdvice).flat(),
      checks: Array.from({ length: count }, () => rich.checks).flat(),
      verdict: '@'.repeat(count * 10),
    };
  };

  it.each([1, 10, 100, 1000, 20_000])('holds for %d times everything', (count) => {
    const text = renderComment(many(count), facts);
    expect([...text].length).toBeLessThanOrEqual(65_536);
    expect(isMarked(text, facts.marker)).toBe(true);
    expect(text.match(/^<details>$/gm)?.length ?? 0).toBe(text.match(/^<\/details>$/gm)?.length ?? 0);
    expect(text).toMatch(/(<\/sub>|report\.html has all of it\.)\n$/);
  });

  it.each([30_000, 20_000, 10_000, 6_000, 4_000])(
    'has a shorter form for %d bytes that says what it is',
    (limit) => {
      const text = renderComment(many(100), facts, limit);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
      expect(isMarked(text, facts.marker)).toBe(true);
      expect(text).toContain('The rest does not fit into a comment');
      expect(text).toContain('| **At merge** |');
      expect(text).toMatch(/<\/sub>\n$/);
    },
  );

  it('cuts what fits nowhere, and says so', () => {
    const text = renderComment(many(10), facts, 700);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(700);
    expect(text).toContain('was cut here');
  });
});

describe('newsOf', () => {
  it('leaves out which run it was', () => {
    const [one, two] = ['1', '2'].map(
      (id) =>
        `m\n## a\n\nb\n\n<sub>Head \`a\`. The whole report is in [run ${id}](https://github.com/${id}).</sub>\n`,
    );
    expect(newsOf(one ?? '')).toBe(newsOf((two ?? '').replaceAll('\n', '\r\n')));
    expect(newsOf('m\n## a\n\nb\n\nx')).not.toBe(newsOf('m\n## b\n\nb\n\nx'));
  });

  const rehearsing = (changes: Partial<RehearsalRecord>, head = minor.head): string =>
    newsOf(
      renderComment(
        record({
          mode: 'rehearse',
          verdict: `It passed. Expected downtime: ${changes.measures ? '1 h 2 min' : '0.36 s'}.`,
          change: { ...minor, head },
          rehearsal: { ...rehearsal, ...changes },
        }),
        facts,
      ),
    );

  it('leaves out what is measured anew in every run', () => {
    const measures = {
      ...rehearsal.measures,
      restoreMs: 59_000,
      stopMs: 12,
      restoredBytes: 999,
      startMs: 9e6,
    };
    const backup = rehearsal.backup && { ...rehearsal.backup, taken: '2026-11-21T03:04:05.000Z' };
    const stages = rehearsal.stages.map((stage) => ({ ...stage, durationMs: 59_000 }));
    expect(rehearsing({ measures, backup, stages })).toBe(rehearsing({}));
  });

  it('keeps what is another head, another state or another rehearsal', () => {
    expect(rehearsing({}, 'c'.repeat(40))).not.toBe(rehearsing({}));
    expect(rehearsing({ exact: false })).not.toBe(rehearsing({}));
    const [one, two] = ['2026-11-20T15:00:59.000Z', '2026-11-20T15:01:00.000Z'].map((at) =>
      newsOf(
        renderComment(
          record({
            rehearsed: {
              at,
              passed: true,
              from: '15.17',
              wanted: '15.18',
              exact: true,
              run: 'run 1',
              expectedDowntimeMs: null,
              restoreMs: null,
              failure: null,
              taken: null,
              basis: 'b',
            },
          }),
          facts,
        ),
      ),
    );
    expect(one).toContain('| **Rehearsal** | passed on 2026-11-20 15:00 UTC (15.17 → 15.18; run 1) |');
    expect(two).not.toBe(one);
  });
});

describe('marker', () => {
  it.each([
    [
      'db/a--> <script>.yaml',
      '<!-- postgres-upgrade:issue spec=db%2Fa%2D%2D%3E%20%3Cscript%3E.yaml target=orders -->',
    ],
    ["it's", '<!-- postgres-upgrade:issue spec=it%27s target=orders -->'],
  ])('of %s ends where it should', (spec, expected) => {
    expect(marker('issue', spec, 'orders')).toBe(expected);
  });

  it('counts as the whole first line only', () => {
    expect(
      [
        `${facts.marker}\r\nx`,
        facts.marker,
        ` ${facts.marker}`,
        `x\n${facts.marker}`,
        `${facts.marker} x`,
        '',
        null,
      ].map((body) => isMarked(body, facts.marker)),
    ).toEqual([true, true, false, false, false, false, false]);
  });
});

describe.each(HOSTILE)('hostile text %j', (hostile) => {
  const evil: UpgradeRecord = {
    ...hostileRecord(hostile),
    change: { ...minor, from: hostile, to: hostile, others: [hostile, hostile], why: hostile, head: hostile },
    result: 'refused',
    rehearsal: {
      ...rehearsal,
      passed: false,
      stages: [{ id: 'smoke', title: hostile, state: 'failed', durationMs: 1, output: [hostile] }],
    },
  };
  const evilFacts = { ...facts, windows: [hostile], risk: { class: 'minor' as const, reasons: [hostile] } };
  const texts = [
    renderComment(evil, evilFacts),
    renderComment(
      { ...evil, rehearsal: null, change: { ...minor, kind: 'unknown', why: hostile } },
      evilFacts,
    ),
    renderIssue(evil, facts.marker),
    renderGreen(evil),
    renderLeft(facts.marker, hostile, { ...minor, kind: 'none', others: [hostile] }, hostile),
  ];
  const rest = texts.map((text) =>
    text
      .replace(facts.marker, '')
      .replace(/^<!-- failed=[a-z]+ -->$/m, '')
      .replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '')
      .replaceAll(/(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g, 'CODE')
      .replaceAll(/<\/?(?:span|code|details|summary|br|sub)>/g, '\0'),
  );

  it('makes no tag, link, mention or marker', () => {
    for (const text of rest) {
      expect(text).not.toMatch(/<[a-z!/]/i);
      expect(text).not.toMatch(/\]\(|:\/\/|www\.|@\w|-->|<!--/);
    }
  });

  it('breaks no table', () => {
    for (const text of rest)
      for (const block of text.split(/\n\n/).filter((each) => each.startsWith('|')))
        expect(
          new Set(
            block
              .trim()
              .split('\n')
              .map((row) => row.split('|').length),
          ).size,
        ).toBe(1);
  });

  it('starts no workflow command: the text may end in a log', () => {
    for (const text of texts) {
      expect(text).not.toMatch(/^\s*::/m);
      expect(text).not.toContain('##[');
    }
  });
});
