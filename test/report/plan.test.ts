/** A plan as whoever approves it sees it. */
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import { renderPlain } from '../../src/report/plain.ts';
import { asksApproval, breaksWords, planAdvice, refusedNow } from '../../src/report/plan-words.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { planRecord, successRecord } from './fixture.ts';
import { richCheckRecord } from './fixture-check.ts';
import { plan } from './fixture-parts.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

const refused: UpgradeRecord = { ...planRecord(), result: 'refused', verdict: '1 check blocks the upgrade.' };

it('is what a summary of mode plan shows before anything folded', () => {
  const text = renderSummary({ ...planRecord(), advice: richCheckRecord().advice });
  expect(text.slice(0, text.indexOf('###'))).toMatchInlineSnapshot(`
    "## ✅ orders can go from 15.17 to 15.18 in 2 steps.

    | Target | \`orders\` (debian) |
    | - | - |
    | Result | success (mode plan: nothing was changed) |
    | Versions | 15.17, wanted 15.18 |
    | Database now | Running 15.17, as before. |
    | Checks | none were made |
    | Time | 2026-11-20 18:01:30 UTC, took 1 min 1 s |
    | Run | outside GitHub, on \`db1\` |
    | Plan | \`b5bb9d8014a0\` (minor-in-place, 2 steps) |
    | Release notes | 4 apply, 3 cannot be seen from the database, 18 do not apply |

    "
  `);
  expect(
    text.slice(text.indexOf('### The plan'), text.indexOf('### What the release')),
  ).toMatchInlineSnapshot(`
    "### The plan: 15.17 → 15.18, 2 steps

    **Risk: known-bad**

    - PostgreSQL 15.18, which is wanted, is known for this: a standby can hang.
    - 15.17 → 15.18 is a minor version, the next release.

    **Expected downtime: 0.36 s (measured by the rehearsal of 2026-11-19 18:00:00 UTC)**

    | | Step | Clients notice | Undo |
    | - | - | - | - |
    | 1 | Install the packages of 15.18 | nothing | Installs 15.17-1.pgdg12+1 again |
    | 2 | Restart the server | Connections are closed; new ones wait for about a second (the downtime) | nothing to undo |

    Release advice:

    - By the action: BRIN indexes can miss rows with nulls; Statistics views of existing databases stay readable by all
    - By a person, before the upgrade: Output plugins have to be allowed
    - By a person, after the upgrade: Detached partitions can lack a foreign key

    To know before:

    - Indexes of type brin may need REINDEX after 15.18: 0 found.

    Approve the job that waits for it, or start mode upgrade with plan-digest \`b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c\`. Any other plan is refused. What each step runs and what it can break stands under "Plan" below.

    "
  `);
});

it('has all that each step does and can break in a fold, and says nothing twice', () => {
  const text = renderSummary(planRecord());
  expect(text.slice(text.indexOf('<summary>Plan'))).toMatchInlineSnapshot(`
    "<summary>Plan: minor-in-place, 2 steps</summary>

    15.17 → 15.18, digest \`b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c\`

    - Install the packages of 15.18
      - \`apt-get install --only-upgrade postgresql-15=15.18-1.pgdg12+1\`
      - Undo: Installs 15.17-1.pgdg12+1 again
      - Clients notice: nothing
      - Risk: The packages may not be there: then nothing was changed.
      - Must not be interrupted
    - Restart the server
      - \`CHECKPOINT\`
      - \`pg_ctlcluster 15 main restart -m fast\`
      - Undo: nothing to undo
      - Clients notice: Connections are closed; new ones wait for about a second (the downtime)
      - Risk: The new server may refuse to start: then 15.17 is started again.
      - Risk: Queries are slower until caches are warm.
      - Must not be interrupted

    </details>
    "
  `);
  expect(text.split('a standby can hang')).toHaveLength(2);
});

it('is complete in the fold where nothing is to be approved', () => {
  const text = renderSummary(successRecord());
  expect(text.slice(text.indexOf('<summary>Plan'))).toMatchInlineSnapshot(`
    "<summary>Plan: minor-in-place, 2 steps</summary>

    15.17 → 15.18, digest \`b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c\`

    Risk known-bad:

    - PostgreSQL 15.18, which is wanted, is known for this: a standby can hang.
    - 15.17 → 15.18 is a minor version, the next release.

    Expected downtime: 0.36 s (measured by the rehearsal of 2026-11-19 18:00:00 UTC)

    - Install the packages of 15.18
      - \`apt-get install --only-upgrade postgresql-15=15.18-1.pgdg12+1\`
      - Undo: Installs 15.17-1.pgdg12+1 again
      - Clients notice: nothing
      - Risk: The packages may not be there: then nothing was changed.
      - Must not be interrupted
    - Restart the server
      - \`CHECKPOINT\`
      - \`pg_ctlcluster 15 main restart -m fast\`
      - Undo: nothing to undo
      - Clients notice: Connections are closed; new ones wait for about a second (the downtime)
      - Risk: The new server may refuse to start: then 15.17 is started again.
      - Risk: Queries are slower until caches are warm.
      - Must not be interrupted

    Notes:

    - Indexes of type brin may need REINDEX after 15.18: 0 found.

    </details>
    "
  `);
});

it('comes behind what blocks, and is not offered for approval then', () => {
  const text = renderSummary({ ...refused, checks: richCheckRecord().checks });
  expect(text.indexOf('### Blocks the upgrade')).toBeGreaterThan(0);
  expect(text.indexOf('### The plan')).toBeGreaterThan(text.indexOf('### Blocks the upgrade'));
  expect(text).toContain('There is nothing to approve while something blocks it.');
  expect(text).not.toContain('Approve the job');
});

it('does not look ready while a gate is closed', () => {
  const record = planRecord();
  if (!record.plan) throw new Error('the fixture has no plan');
  record.plan.notes.push(
    `${refusedNow('window')}No maintenance window of orders is open.`,
    `${refusedNow('wave')}orders waits.`,
  );
  const text = renderSummary(record);
  expect(text.split('\n')[0]).toBe('## ⚠️ orders can go from 15.17 to 15.18 in 2 steps.');
  expect(text).toContain('| Result | success (mode plan: nothing was changed) |');
  expect(text).toContain(
    'Approve the job that waits for it when the maintenance window is open, and the earlier waves are done, or start mode upgrade then with plan-digest ',
  );
  expect(text).toContain('Before that it takes a person who overrides it: override: window, wave.');
  expect(renderSummary({ ...record, result: 'refused' })).toMatch(/^## ⛔ /);
});

it('comes first on the page of mode plan, and last on that of an upgrade', () => {
  const headings = (record: UpgradeRecord): string[] =>
    [...renderHtml(record).matchAll(/<h2[^>]*>([^<]*)<\/h2>/g)].map(([, title]) => title ?? '');
  expect(headings(planRecord())[0]).toBe('The plan');
  expect(headings(planRecord())).not.toContain('Plan');
  expect(headings(successRecord()).at(-3)).toBe('Plan');
});

it('has risk, downtime, digest, steps and risks on the page', () => {
  const page = renderHtml(planRecord());
  const section = page.slice(page.indexOf('id="plan"'), page.indexOf('id="key-facts"'));
  for (const text of [
    '<dt>Risk</dt><dd>known-bad</dd>',
    '<dt>Expected downtime</dt><dd>0.36 s (measured by the rehearsal of 2026-11-19 18:00:00 UTC)</dd>',
    `<code>${plan?.digest}</code>`,
    '<li>PostgreSQL 15.18, which is wanted, is known for this: a standby can hang.</li>',
    '<td>2. Restart the server</td><td>Connections are closed; new ones wait for about a second (the downtime)</td>',
    '<li>Risk: Queries are slower until caches are warm.</li>',
    '<li>Undo: Installs 15.17-1.pgdg12+1 again</li>',
  ])
    expect(section).toContain(text);
});

describe('words', () => {
  it('ask for approval only of a plan that does something, in mode plan', () => {
    expect(asksApproval(planRecord())).toBe(true);
    expect(asksApproval(successRecord())).toBe(false);
    expect(asksApproval({ ...planRecord(), plan: null })).toBe(false);
    expect(asksApproval({ ...planRecord(), plan: plan && { ...plan, wanted: plan.from } })).toBe(false);
  });

  it('tell the break of the database from that of applications', () => {
    const step = { id: 'x', title: '', does: [], undo: null, risks: [], interruptible: true };
    expect([
      breaksWords({ ...step, breaks: null }),
      breaksWords({ ...step, breaks: 'a', id: 'stop-applications' }),
      breaksWords({ ...step, breaks: 'a' }),
    ]).toEqual(['nothing', 'a (not in the downtime)', 'a (the downtime)']);
  });

  it('say who carries out which advice, and when', () => {
    expect(planAdvice(richCheckRecord())).toEqual([
      'By the action: BRIN indexes can miss rows with nulls; Statistics views of existing databases stay readable by all',
      'By a person, before the upgrade: Output plugins have to be allowed',
      'By a person, after the upgrade: Detached partitions can lack a foreign key',
    ]);
    expect(planAdvice(planRecord())).toEqual([]);
  });
});

describe.each(HOSTILE)('with %j in every text', (text) => {
  const hostile = hostileRecord(text);
  const record: UpgradeRecord = {
    ...hostile,
    mode: 'plan',
    result: 'success',
    changed: false,
    plan: hostile.plan && { ...hostile.plan, from: '15.17' },
  };

  it('is inert', () => {
    expect(asksApproval(record) || text === '15.17').toBe(true);
    const page = renderHtml(record);
    expect(page).not.toMatch(/<script|<img|<a[\s>]|\shref=/i);
    for (const shown of [page, renderPlain(record), renderSummary(record)]) {
      expect(shown).not.toMatch(/^\s*::/m);
      expect(shown).not.toContain('##[');
      expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
  });
});
