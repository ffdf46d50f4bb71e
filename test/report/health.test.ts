import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../src/report/health-figures.ts';
import { renderHtml } from '../../src/report/html.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { cleanCheckRecord, richCheckRecord, upgradedRecord } from './fixture-check.ts';
import { poorSnapshot, snapshot } from './fixture-health.ts';

const listed = (of: typeof snapshot): string =>
  figuresOf(of)
    .map(({ label, value }) => `${label}: ${value}`)
    .join('\n');

const healthOf = (page: string): string =>
  page.slice(
    page.indexOf('<section id="health"'),
    page.indexOf('</section>', page.indexOf('<section id="health"')),
  );

const folds = (part: string): string[] =>
  [...part.matchAll(/<summary>([^<]*)/g)].map(([, title]) => title ?? '');

describe('key figures', () => {
  it('of a full snapshot', () =>
    expect(listed(snapshot)).toMatchInlineSnapshot(`
    "Databases: 2
    Size: 2.5 GiB
    Tables: 84
    Rows, estimated: 2,469,134
    Cache hit ratio: 99.2 %
    Connections: 36
    Deadlocks: 4
    Standbys: 1, at most 16.0 KiB behind
    Replication slots: 1, 1 not in use, 700.0 MiB held back
    Archiver: working, mode on: 4,811 archived, 3 failed
    Invalid indexes and constraints: 2
    Sequences behind their column: 2
    Errors in the log: 41 lines
    Could not be measured: 1 thing"
  `));
  it('say what was not measured, never nothing', () =>
    expect(listed(poorSnapshot)).toMatchInlineSnapshot(`
    "Databases: 2
    Size: 2.1 GiB, not measured in 1 database
    Tables: 42, not measured in 1 database
    Rows, estimated: 1,234,567, not measured in 1 database
    Cache hit ratio: 99.2 %
    Connections: not measured
    Deadlocks: 2, not measured in 1 database
    Standbys: not measured
    Replication slots: not measured
    Archiver: not measured
    Invalid indexes and constraints: 1, not measured in 1 database
    Sequences behind their column: 1, not measured in 1 database
    Errors in the log: not measured
    Could not be measured: 1 thing"
  `));
});

describe('in report.html', () => {
  it('a snapshot alone is the health report: figures open, parts folded', () => {
    const section = healthOf(renderHtml(richCheckRecord()));
    expect(section).toContain(
      '<p>Measured 2026-11-20 18:01:33 UTC (took 0.81 s, 1 thing could not be measured).</p>',
    );
    expect(section.indexOf('Cache hit ratio')).toBeLessThan(section.indexOf('<details>'));
    expect(folds(section)).toEqual([
      'Databases, connections, replication, statements, log and settings',
      'Could not be measured',
      'Databases',
      'Activity',
      'Largest tables',
      'Extensions, sequences, what is invalid',
      'Objects by schema',
      'Connections',
      'Standbys and replication slots',
      'WAL archiver',
      'Statements that took most time',
      'Server log',
      'Server',
      'Settings',
    ]);
    expect(section).toContain('<td>1.48 ms</td>');
    expect(section).toContain('Counted since');
    expect(section).toContain('<code>public.orders_id_seq</code>');
  });

  it('two snapshots stand side by side, all folded', () => {
    const section = healthOf(renderHtml(upgradedRecord()));
    expect(folds(section)[0]).toBe('Key figures');
    expect(section).toContain('<td>Cache hit ratio</td><td>99.2 %</td><td>99.2 %</td>');
    expect(section).toContain('<h3>Before</h3>');
    expect(section).toContain('<h3>After</h3>');
  });

  it('leaves out parts that nobody could measure, and says why', () => {
    const section = healthOf(
      renderHtml({ ...cleanCheckRecord(), health: { before: poorSnapshot, after: null } }),
    );
    expect(folds(section)).not.toContain('Connections');
    expect(section).toContain(
      '<td>database closed</td><td>no right to connect</td><td><code>42501</code></td>',
    );
    expect(section).toContain('<td><code>closed</code></td><td>not measured</td><td>not measured</td>');
  });
});

it('is one short folded table in the summary', () => {
  const text = renderSummary(upgradedRecord());
  expect(text).toContain(
    '<summary>Health: key figures</summary>\n\n| | Before | After |\n| - | - | - |\n| Databases | 2 | 2 |',
  );
  expect(text).not.toContain('COPY events');
});
