import { expect, it } from 'vitest';
import { ganttLabel, renderGantt } from '../../src/report/gantt.ts';
import { successRecord } from './fixture.ts';
import { at } from './fixture-parts.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

it('draws steps and the time without commits', () => {
  expect(renderGantt(successRecord())).toMatchInlineSnapshot(`
    "\`\`\`mermaid
    gantt
        dateFormat YYYY-MM-DD HH:mm:ss.SSS
        axisFormat %H:%M:%S
        todayMarker off
        title Steps from 2026-11-20 18:02:08 UTC
        section Steps
        1 Stop storefront :done, s1, 2026-11-20 18:02:08.100, 2026-11-20 18:02:09.300
        2 Install the packages of 15.18 :done, s2, 2026-11-20 18:02:09.300, 2026-11-20 18:02:10.900
        3 Restart the server :done, s3, 2026-11-20 18:02:11.020, 2026-11-20 18:02:11.560
        4 Start storefront :done, s4, 2026-11-20 18:02:11.700, 2026-11-20 18:02:14.200
        section Clients
        No commit possible :crit, gap, 2026-11-20 18:02:11.140, 2026-11-20 18:02:11.480
    \`\`\`"
  `);
});

it('keeps labels free of syntax', () => {
  expect(ganttLabel('Restart; click x %%{init}%% #1: <b>,crit')).toBe('Restart click x init 1 b crit');
  expect(ganttLabel('::::')).toBe('step');
  for (const text of HOSTILE) {
    for (const line of (renderGantt(hostileRecord(text)) ?? '')
      .split('\n')
      .filter((line) => /^ {4}\d+ /.test(line))) {
      expect(line).toMatch(
        /^ {4}\d+ [\p{L}\p{M}\p{N} ._()/+…-]+ :(crit, |done, )s\d+, [\d-]+ [\d:.]+, [\d-]+ [\d:.]+$/u,
      );
    }
  }
});

it('gives a bar a length though the clock was set back', () => {
  const record = successRecord();
  const steps = record.steps.map((step) => ({ ...step, finished: at('17:00:00.000') }));
  expect(renderGantt({ ...record, steps })).toContain('2026-11-20 18:02:08.100, 2026-11-20 18:02:08.101');
});
