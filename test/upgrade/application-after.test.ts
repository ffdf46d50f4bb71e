import { describe, expect, it } from 'vitest';
import { awaitOnlyWatched, tendApplications } from '../../src/upgrade/application-after.ts';
import { askApplicationsBefore, journalUnwell } from '../../src/upgrade/application-before.ts';
import { commonStep } from '../../src/upgrade/plan.ts';
import { putBackAll } from '../../src/upgrade/target.ts';
import { specWith } from '../spec/specs.ts';
import { listen } from '../support/receiver.ts';
import { failureOf, stepRunOf } from '../support/targets.ts';
import { deeds, stepStates, world } from './world.ts';

/** Three applications of one server: started and stopped, only watched, and one without an address. */
const spec = (origin: string, start = '"true"'): string => `applications:
  - { name: shop, stop: ["true"], start: [${start}], health: "${origin}/shop", start-timeout: 1 }
  - { name: reports, health: "${origin}/reports", start-timeout: 1 }
  - { name: jobs, stop: ["true"], start: ["true"] }`;

/** Answers 503 where the path is in `sick`. */
async function applications(...sick: string[]) {
  const asked: string[] = [];
  const server = await listen(async ({ url = '' }, response) => {
    asked.push(url);
    response.writeHead(sick.includes(url) ? 503 : 200).end();
  });
  return { server, asked, sick };
}

describe('before anything is changed', () => {
  it('each is asked once, the sick one is told of, and a later job knows', async () => {
    const { server, asked } = await applications('/shop');
    await using _ = server;
    using here = await world({ spec: spec(server.origin) });
    await askApplicationsBefore(here.run);
    expect(asked.toSorted()).toEqual(['/reports', '/shop']);
    expect(deeds(here.events)).toEqual(['warning orders: shop does not answer']);
    expect(here.run.recorder.record.watch).toMatchObject({
      applications: [
        { name: 'shop', before: 'unwell', beforeSeen: 'HTTP 503' },
        { name: 'reports', before: 'well', beforeSeen: 'HTTP 200' },
      ],
      observed: null,
    });
    await journalUnwell(here.run);
    expect(here.run.journal.state().unwell).toEqual(['shop']);
  });

  it('one that an earlier run has stopped is not asked, and stays as it was noted', async () => {
    const { server, asked } = await applications('/reports');
    await using _ = server;
    const off = { id: 'application:shop', what: 'application shop is stopped', detail: {} };
    using here = await world({
      spec: spec(server.origin),
      journal: [
        { kind: 'unwell', applications: ['shop'] },
        { kind: 'switched-off', entry: off },
      ],
    });
    await askApplicationsBefore(here.run);
    expect(asked).toEqual(['/reports']);
    await journalUnwell(here.run);
    expect(here.run.journal.state().unwell).toEqual(['shop', 'reports']);
  });

  it('where none has an address nothing is asked, and nothing is written', async () => {
    using here = await world({ spec: 'applications: [{ name: jobs, stop: ["true"], start: ["true"] }]' });
    await askApplicationsBefore(here.run);
    await journalUnwell(here.run);
    expect(here.run.recorder.record.watch).toBeNull();
    expect(here.journal()).toEqual([]);
  });
});

describe('after the change', () => {
  it('the plan waits for those that stay up', () => {
    expect(commonStep('start-applications', specWith(spec('http://localhost')))).toMatchObject({
      title: 'Start shop, jobs, wait for reports',
      does: [
        'true',
        'GET http://localhost/shop until it answers',
        'true',
        'GET http://localhost/reports until it answers',
      ],
      breaks: null,
    });
    const only = specWith('applications: [{ name: reports, health: "http://localhost/" }]');
    expect(commonStep('start-applications', only)?.title).toBe('Wait for reports');
    expect(commonStep('stop-applications', only)).toBeNull();
  });

  it('one that is only watched must answer, except where it did not before', async () => {
    const { server } = await applications('/reports');
    await using _ = server;
    using here = await world({ spec: spec(server.origin) });
    const { run: step, told } = stepRunOf();
    expect(await failureOf(awaitOnlyWatched(here.run, step))).toMatchObject({
      code: 'application-health',
      message: `reports was not stopped, but ${server.origin}/reports did not answer within 1 seconds (HTTP 503).`,
    });
    await here.run.journal.unwell(['reports']);
    await awaitOnlyWatched(here.run, step);
    expect(told.progress).toEqual([
      'reports does not answer (HTTP 503): it did not before the upgrade either',
    ]);
  });

  it('one that is started need not answer where it did not before', async () => {
    const { server } = await applications('/shop');
    await using _ = server;
    using here = await world({ spec: spec(server.origin) });
    const [shop] = here.run.spec.applications;
    await here.run.journal.switchedOff({
      id: 'application:shop',
      what: 'application shop is stopped',
      detail: shop,
    });
    expect(await putBackAll(here.run)).toMatchObject([{ code: 'put-back' }]);
    await here.run.journal.unwell(['shop']);
    expect(await putBackAll(here.run)).toEqual([]);
  });
});

describe('after a way back', () => {
  it('what does not answer is started again when the run ends; what cannot be started is told of', async () => {
    const { server } = await applications('/shop', '/reports');
    await using _ = server;
    using here = await world({ spec: spec(server.origin) });
    await tendApplications(here.run, []);
    expect(stepStates(here.run)).toEqual(['applications done']);
    expect(here.run.recorder.record.steps[0]?.output).toEqual([
      'shop does not answer (HTTP 503): it is started again',
      'reports does not answer (HTTP 503)',
    ]);
    expect(here.run.journal.state().outstanding.map(({ id, what }) => [id, what])).toEqual([
      ['application:shop', 'application shop does not answer since the way back'],
    ]);
    expect(here.run.recorder.record.issues).toMatchObject([
      {
        code: 'application-health',
        what: `reports does not answer at ${server.origin}/reports since the way back (HTTP 503).`,
        resolution: 'Not resolved: start it by hand.',
      },
    ]);
  });

  it('what is well, was unwell before, or is off already, is let be', async () => {
    const { server, asked, sick } = await applications('/reports');
    await using _ = server;
    using here = await world({ spec: spec(server.origin) });
    await tendApplications(here.run, ['reports']);
    expect(here.run.recorder.record.steps[0]?.output).toEqual([
      'shop answers',
      'reports does not answer (HTTP 503): it did not before the upgrade either',
    ]);
    expect(here.run.journal.state().outstanding).toEqual([]);
    expect(here.run.recorder.record.issues).toEqual([]);
    sick.length = asked.length = 0;
    await here.run.journal.switchedOff({ id: 'application:shop', what: 'off', detail: {} });
    await tendApplications(here.run, []);
    expect(asked).toEqual(['/reports']);
  });

  it('asks nobody where nobody can be asked', async () => {
    using here = await world({ spec: 'applications: [{ name: jobs, stop: ["true"], start: ["true"] }]' });
    await tendApplications(here.run, []);
    expect(here.run.recorder.record.steps).toEqual([]);
  });
});
