import { describe, expect, it } from 'vitest';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { renderSummaries, renderSummary } from '../../src/report/summary.ts';
import { planRecord, refusedRecord, rolledBackRecord, successRecord } from './fixture.ts';
import { cleanCheckRecord, fullRecord, richCheckRecord } from './fixture-check.ts';
import { passedCheck } from './fixture-parts.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

const bytes = (text: string): number => Buffer.byteLength(text);

/** 50,000 checks, each with a title outside ASCII. */
function huge(warnings = 0): UpgradeRecord {
  const checks = Array.from({ length: 50_000 }, (_, index) =>
    passedCheck(`check-${index}`, `Prüfung ${index}`),
  );
  const noisy = checks.slice(0, warnings).map((check) => ({
    ...check,
    status: 'warning' as const,
    seen: Array.from({ length: 30 }, (_, index) => `Tabelle ${index} ist groß`),
    fix: 'Read it.',
  }));
  return { ...successRecord(), checks: [...noisy, ...checks.slice(warnings)] };
}

it('starts with the verdict and the key facts', () => {
  expect(renderSummary(successRecord()).split('\n\n').slice(0, 3).join('\n\n')).toMatchInlineSnapshot(`
    "## ✅ orders runs PostgreSQL 15.18; clients waited 0.36 s.

    | Target | \`orders\` (debian) |
    | - | - |
    | Result | success (mode upgrade) |
    | Versions | 15.17 → 15.18 |
    | Database now | Running 15.18 and open to clients. |
    | Downtime a client saw | 0.36 s (3 of 1,210 attempts failed, one every 20 ms) |
    | Backup | 700.0 MiB in 47 files; proved by a restore into 15.18, 42 tables and 1,234,567 rows compared, 2 things not compared |
    | Checks | 1 warning, 3 passed |
    | Time | 2026-11-20 18:01:30 UTC, took 1 min 1 s |
    | Run | \`octocat\`, commit \`9fceb02d0ae5\` of \`main\` |
    | Plan | \`b5bb9d8014a0\` (minor-in-place, 2 steps) |

    ### Warnings"
  `);
});

it('says what blocks and what to do next before anything folded', () => {
  const text = renderSummary(refusedRecord());
  expect(text.slice(text.indexOf('### Next'), text.indexOf('<details>'))).toMatchInlineSnapshot(`
    "### Next

    Roll back or commit the prepared transaction, then run this again:

    \`\`\`sh
    psql -h db1 -c "ROLLBACK PREPARED 'batch-17'" "postgres://ops@db1/orders"
    \`\`\`

    ### Blocks the upgrade

    - **not so: No prepared transaction is left behind**: batch-17 in orders, 3 days old<br>To do: COMMIT PREPARED or ROLLBACK PREPARED it.

    ### Could not be answered

    - **Replication slots are usable and hold back little WAL**: permission denied for view pg_replication_slots<br>To do: Grant pg_monitor to the role.

    ### Warnings

    - **not so: No transaction has been open for long**: pid 4711, role reporting, open for 1 min 31 s<br>To do: End it, or wait for it.

    "
  `);
});

it('shows what is still switched off and what changed unexpectedly', () => {
  const text = renderSummary(rolledBackRecord());
  expect(text).toContain('### Changed unexpectedly\n\n- **extension pg_tviews**: `1.4` → nothing');
  expect(text).toContain('### Switched off and not put back\n\n- Application storefront');
});

it('says what the proof did not compare', () => {
  expect(renderSummary(successRecord())).toContain(
    'Not compared:\n\n- orders.public.audit_log: 120 GiB is over the limit, counted only\n- unlogged table orders.public.cache',
  );
});

it('draws a timeline of two steps or more', () => {
  const record = successRecord();
  expect(renderSummary(record)).toContain(
    '    3 Restart the server :done, s3, 2026-11-20 18:02:11.020, 2026-11-20 18:02:11.560\n',
  );
  expect(renderSummary({ ...record, steps: record.steps.slice(0, 1) })).not.toContain('mermaid');
});

it('has no link but to release notes, not even to its own run', () => {
  for (const record of [successRecord(), rolledBackRecord(), planRecord(), richCheckRecord(), fullRecord()]) {
    const rest = renderSummary(record).replaceAll(
      /\[Release notes of 15\.\d+\]\(https:\/\/www\.postgresql\.org\/docs\/release\/15\.\d+\/\)/g,
      '',
    );
    expect(rest).not.toMatch(/\]\(|href|https:\/\//);
  }
});

it('puts all that blocks before all that warns, unfolded', () => {
  const open = (record: UpgradeRecord): string[] =>
    [...(renderSummary(record).split('<details>')[0] ?? '').matchAll(/^### (.*)$/gm)].map(
      ([, title]) => title ?? '',
    );
  expect(open(richCheckRecord())).toEqual([
    'Next',
    'Blocks the upgrade',
    'Could not be answered',
    'Your own SQL blocks',
    'Release notes that a person must read',
    'Warnings',
    'What the release notes ask',
  ]);
  expect(open(fullRecord())).toEqual([
    'Next',
    'Your own SQL blocks',
    'Changed unexpectedly',
    'Switched off and not put back',
    'Warnings',
    'Release notes to read',
    'What the release notes ask',
    'Alerts',
  ]);
  expect(open(cleanCheckRecord())).toEqual([]);
});

it('says the rest of a check in its key table and folds', () => {
  const text = renderSummary(richCheckRecord());
  expect(text.slice(text.indexOf('| Release line'), text.indexOf('### Next'))).toMatchInlineSnapshot(`
    "| Release line | 15.1 is 19 releases (4 y) behind 15.20; PostgreSQL 15 gets fixes until 2027-11-11, for 356 more days |
    | Security fixes | 100 CVEs fixed, 41 with a score of 7 or more, highest 8.8; not listed yet for 1 release |
    | Release notes | 4 apply, 3 cannot be seen from the database, 18 do not apply |
    | Your own SQL | 1 blocked, 1 failed, 1 passed |

    "
  `);
  expect([...text.matchAll(/<summary>(.*)<\/summary>/g)].map(([, title]) => title)).toMatchInlineSnapshot(`
    [
      "Release notes: 4 apply, 3 cannot be seen from the database, 18 do not apply",
      "100 CVEs fixed, 41 with a score of 7 or more, highest 8.8; not listed yet for 1 release",
      "Health: key figures",
      "Your own SQL: 1 blocked, 1 failed, 1 passed",
      "Checks: 1 blocked, 1 unanswered, 1 warning, 1 passed, 1 switched off in the spec",
    ]
  `);
  expect(text).toContain('| switched off in the spec | before | WAL is archived |');
});

it('shows results of own SQL in a few rows and columns', () => {
  const wide = richCheckRecord().queries.map((query) => ({
    ...query,
    columns: Array.from({ length: 40 }, (_, index) => `c${index}`),
    rows: Array.from({ length: 50 }, () => Array.from({ length: 40 }, () => 'x'.repeat(500))),
    total: 9_000,
  }));
  const text = renderSummary({ ...richCheckRecord(), queries: wide });
  expect(text).toContain('9,000 rows, the first 5 are shown.');
  expect(text).toContain('32 more columns are in report.html.');
  expect(text).toContain(`| ${'x'.repeat(100)}… (400 more characters) |`);
  expect(text).not.toContain('c8');
});

describe('the ladder', () => {
  it('leaves out passed checks and long lists first', () => {
    const text = renderSummary(huge(200));
    expect(bytes(text)).toBeLessThan(1024 * 1024);
    expect(text).toContain('49,800 passed checks left out; report.html has all.');
    expect(text).toContain('150 more left out; report.html has all.');
    expect(text).toContain(
      '> Passed checks, the output of steps and the ends of long lists and texts are left out here. report.html has all of it.',
    );
    expect(text).toContain('Backup and proof');
  });

  it('then all details, then everything but verdict and key facts, then cuts', () => {
    const details = renderSummary(huge(200), { limitBytes: 8_000 });
    expect(details).toContain('> All details are left out here. report.html has all of it.');
    expect(details).toContain('### Warnings');
    const facts = renderSummary(huge(200), { limitBytes: 1_500 });
    expect(facts).toContain(
      '> Everything but the verdict and the key facts is left out here. report.html has all of it.',
    );
    expect(facts).not.toContain('### Warnings');
    const cut = renderSummary(huge(200), { limitBytes: 300 });
    expect(cut).toMatch(
      /^## ✅ .*\n\n\| Target .*\n> This summary was cut here\. report\.html has all of it\.\n$/s,
    );
    expect(renderSummary(huge(), { limitBytes: 10 })).toBe('');
  });

  it('never exceeds any limit', () => {
    const records = [successRecord(), refusedRecord(), richCheckRecord(), hostileRecord('ü|'.repeat(300))];
    for (let limitBytes = 0; limitBytes < 14_000; limitBytes += 331) {
      for (const record of records)
        expect(bytes(renderSummary(record, { limitBytes }))).toBeLessThanOrEqual(limitBytes);
      expect(bytes(renderSummaries(records, { limitBytes }))).toBeLessThanOrEqual(limitBytes);
    }
  });

  it('fits huge advice, results and security fixes, and says what it leaves out', () => {
    const record = richCheckRecord();
    const [advice] = record.advice;
    const [query] = record.queries;
    if (!advice || !query || !record.release) throw new Error('the fixture has them');
    const objects = Array.from({ length: 1_000 }, (_, index) => ({
      database: `db${index % 30}`,
      name: `public.brin_${index}`,
      sql: `REINDEX INDEX public.brin_${index}`,
      detail: null,
      state: 'found' as const,
    }));
    const huge: UpgradeRecord = {
      ...record,
      advice: Array.from({ length: 100 }, () => ({
        ...advice,
        objects,
        total: 90_000,
        why: 'ä'.repeat(4_000),
      })),
      queries: Array.from({ length: 1_000 }, (_, line) => ({ ...query, line, why: 'ü'.repeat(4_000) })),
      release: {
        ...record.release,
        cves: Array.from({ length: 5_000 }, (_, index) => ({
          id: `CVE-${index}`,
          score: 9,
          component: 'ö',
          fixedIn: '15.2',
        })),
      },
    };
    const text = renderSummary(huge);
    expect(bytes(text)).toBeLessThanOrEqual(1024 * 1024);
    expect(text).toContain('left out here. report.html has all of it.');
    const one = renderSummary({ ...huge, advice: huge.advice.slice(0, 1), queries: [] });
    expect(one).toContain('20 more databases in report.html.');
    expect(one).toContain('4,950 more left out; report.html has all.');
    expect(text).toContain('### What the release notes ask');
    expect(text).toContain(
      '| Security fixes | 5,000 CVEs fixed, 5,000 with a score of 7 or more, highest 9.0',
    );
    for (const limitBytes of [200_000, 20_000, 2_000, 200, 20]) {
      const shown = renderSummary(huge, { limitBytes });
      expect(bytes(shown)).toBeLessThanOrEqual(limitBytes);
      expect((shown.match(/^`{3,}/gm) ?? []).length % 2).toBe(0);
    }
  });

  it('cuts the objects of one piece of advice, never a statement', () => {
    const record = richCheckRecord();
    const [advice] = record.advice;
    if (!advice) throw new Error('the fixture has one');
    const objects = Array.from({ length: 60 }, (_, index) => ({
      database: 'orders',
      name: `brin_${index}`,
      sql: `REINDEX INDEX brin_${index}`,
      detail: null,
      state: 'found' as const,
    }));
    const text = renderSummary({ ...record, advice: [{ ...advice, objects, total: 60 }] });
    expect(text).toContain('`brin_49` and 10 more');
    expect(text).toContain(
      'REINDEX INDEX brin_49;\n```\n\nNot all statements are shown here; report.html has all.',
    );
  });

  it('never ends within a code block', () => {
    const record = {
      ...refusedRecord(),
      next: Array.from({ length: 9 }, (_, i) => `  command ${i}`).join('\n'),
    };
    for (let limitBytes = 100; limitBytes < 3_000; limitBytes += 13) {
      expect((renderSummary(record, { limitBytes }).match(/^```/gm) ?? []).length % 2).toBe(0);
    }
  });
});

describe('several targets', () => {
  it('counts results, then tells each', () => {
    const text = renderSummaries([successRecord(), refusedRecord(), planRecord()]);
    expect(text).toMatch(/^# 3 targets: 2 success, 1 refused\n\n\| Target /);
    expect(text.match(/^## /gm)).toHaveLength(3);
  });

  it('leaves the room of a small one to a large one', () => {
    const text = renderSummaries([huge(), successRecord()]);
    expect(bytes(text)).toBeLessThanOrEqual(1024 * 1024);
    expect(text).toContain('Enough free space where the run writes');
    expect(text).toContain('50,000 passed checks left out');
  });

  it('has a word for one and for none', () => {
    expect(renderSummaries([successRecord()])).toBe(renderSummary(successRecord()));
    expect(renderSummaries([])).toBe('No target was looked at.\n');
  });

  it('falls back to the table of targets', () => {
    const many = Array.from({ length: 40 }, () => successRecord());
    const text = renderSummaries(many, { limitBytes: 20_000 });
    expect(text).toContain('# 40 targets: 40 success');
    expect(text).toContain('> Everything but this table is left out here. report.html has all of it.');
  });
});

describe.each(HOSTILE)('hostile text %j', (hostile) => {
  const text = renderSummary(hostileRecord(hostile));
  // What is in code is text already; a span is how text is kept apart.
  const rest = text
    .replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '')
    .replaceAll(/(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g, 'CODE')
    .replaceAll(/<\/?(?:span|code|details|summary|br)>/g, '\0');

  it('makes no tag, link or mention', () => {
    expect(rest).not.toMatch(/<[a-z!/]/i);
    expect(rest).not.toMatch(/\]\(|:\/\/|www\.|@\w/);
  });

  it('breaks no table', () => {
    const widths = rest
      .split(/\n\n/)
      .filter((block) => block.startsWith('|'))
      .map(
        (block) =>
          new Set(
            block
              .trim()
              .split('\n')
              .map((row) => row.split('|').length),
          ),
      );
    expect(widths.length).toBeGreaterThan(8);
    for (const width of widths) expect(width.size).toBe(1);
  });

  it('starts no workflow command and holds no control', () => {
    expect(text).not.toMatch(/^\s*::/m);
    expect(text).not.toContain('##[');
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });

  it('closes every fold', () => {
    expect(rest.match(/^\0$/gm)?.length).toBe((text.match(/^<\/?details>$/gm) ?? []).length);
  });
});
