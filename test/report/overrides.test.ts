/** Who overrode what, and who was not told, in every report; what others wrote does nothing there. */
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import { renderPlain } from '../../src/report/plain.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { renderSummaries } from '../../src/report/summary.ts';
import { emptyRecord } from '../../src/upgrade/recorder.ts';

const now = (): Date => new Date('2026-11-20T18:00:00.000Z');
const empty: UpgradeRecord = emptyRecord({
  ...{ name: 'orders', environment: 'embedded', place: 'spec.yaml:3', wanted: '15.20', mode: 'upgrade' },
  ...{ identity: null, version: '0.0.0', now },
});
const record: UpgradeRecord = {
  ...empty,
  overrides: [{ gate: 'window', by: 'octo<b>cat', what: 'No maintenance window of orders is open.' }],
  communication: [
    { at: now().toISOString(), to: 'Slack channel ops', what: 'It starts.', delivered: true, why: null },
    { at: now().toISOString(), to: 'webhook audit', what: 'It starts.', delivered: false, why: 'HTTP <500>' },
  ],
};

describe('overrides', () => {
  it('stand in each report', () => {
    expect(renderPlain(record)).toContain(
      '\nOverridden by name:\n  - window, by octo<b>cat: No maintenance window of orders is open.\n',
    );
    expect(renderHtml(record)).toMatch(
      /id="overrides".*<code>window<\/code>.*octo&lt;b&gt;cat.*No maintenance window of orders is open\./s,
    );
    expect(renderSummaries([record])).toMatch(
      /Overridden by name \(1\).*\| `window` \| octo&lt;b&gt;cat \| No maintenance window of orders is open\. \|/s,
    );
  });

  it('are not spoken of where there are none', () => {
    for (const text of [renderPlain(empty), renderHtml(empty), renderSummaries([empty])])
      expect(text).not.toContain('Overridden by name');
  });
});

it('a message that did not arrive says why', () => {
  expect(renderHtml(record)).toMatch(/not delivered<\/span> HTTP &lt;500&gt;/);
  expect(renderSummaries([record])).toContain('**not delivered**: HTTP &lt;500&gt;');
});
