import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApplication } from '../../src/upgrade/applications.ts';
import { runSteps } from '../../src/upgrade/steps.ts';
import { putBackAll } from '../../src/upgrade/target.ts';
import { listen } from '../support/receiver.ts';
import { deeds, world } from './world.ts';

/** A spec of two applications that write what they are told into a file. */
function twoApplications(file: string, shop = { stop: '', start: '' }): string {
  const does = (text: string, then = ''): string => `[sh, -c, 'echo ${text} >> "${file}"; ${then}true']`;
  return `applications:
  - { name: shop, stop: ${does('stop shop', shop.stop)}, start: ${does('start shop', shop.start)} }
  - { name: jobs, stop: ${does('stop jobs')}, start: ${does('start jobs')} }`;
}

const lines = async (file: string): Promise<string[]> =>
  (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

describe('applications', () => {
  it('are stopped in order, and started in reverse', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-apps-'));
    const file = join(folder.path, 'log');
    using here = await world({ spec: twoApplications(file) });
    await runSteps(
      here.run,
      here.plan('stop-applications', 'a', 'start-applications'),
      here.facts,
      here.probe,
    );
    expect(await lines(file)).toEqual(['stop shop', 'stop jobs', 'start jobs', 'start shop']);
    expect(here.journal()).toEqual([
      'step stop-applications started',
      'switched-off application:shop',
      'switched-off application:jobs',
      'step stop-applications done',
      'step a started',
      'step a done',
      'step start-applications started',
      'put-back application:jobs',
      'put-back application:shop',
      'step start-applications done',
    ]);
    expect(here.run.recorder.record.switchedOff.map(({ what }) => what)).toEqual([
      'application shop is stopped',
      'application jobs is stopped',
    ]);
  });

  it('that cannot be stopped end the step, and are started again all the same', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-apps-'));
    const file = join(folder.path, 'log');
    using here = await world({ spec: twoApplications(file, { stop: 'echo busy >&2; exit 4; ', start: '' }) });
    const plan = here.plan('stop-applications', 'a');
    await expect(runSteps(here.run, plan, here.facts, here.probe)).rejects.toMatchObject({
      code: 'application',
      message: expect.stringMatching(
        /^Stopping shop failed: sh -c echo stop shop .* ended with exit code 4\.$/,
      ),
      hint: 'busy',
    });
    expect(await putBackAll(here.run)).toEqual([]);
    expect(await lines(file)).toEqual(['stop shop', 'start shop']);
    expect(deeds(here.events)).toEqual(['probe']);
  });

  it('that cannot be started do not keep the others off', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-apps-'));
    const file = join(folder.path, 'log');
    const nested = twoApplications(file).replace('start jobs >> "', 'start jobs; exit 3 # "');
    using here = await world({ spec: nested });
    const plan = here.plan('stop-applications', 'start-applications');
    await expect(runSteps(here.run, plan, here.facts, here.probe)).rejects.toMatchObject({
      code: 'put-back',
      message: expect.stringMatching(
        /^This could not be put back: application jobs is stopped\. Starting jobs failed: .* exit code 3\.$/,
      ),
      hint: 'start jobs',
    });
    expect(await lines(file)).toEqual(['stop shop', 'stop jobs', 'start shop']);
    expect(here.run.journal.state().outstanding.map(({ id }) => id)).toEqual(['application:jobs']);
  });
});

describe('startApplication', () => {
  const entry = (health: string, seconds = 5): Parameters<typeof startApplication>[0] => ({
    id: 'application:shop',
    what: 'application shop is stopped',
    detail: {
      name: 'shop',
      stop: ['true'],
      start: ['true'],
      health,
      'start-timeout': seconds,
      'runs-on': 'target',
    },
  });

  it('waits until the application answers well', async () => {
    const answers = [503, 302, 204];
    const asked: string[] = [];
    await using server = await listen(async (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(answers[asked.length - 1] ?? 500, { location: '/elsewhere' }).end();
    });
    const progress: string[] = [];
    await startApplication(entry(`${server.origin}/health`), [], (text) => progress.push(text));
    expect(asked).toEqual(['GET /health', 'GET /health', 'GET /health']);
    expect(progress).toEqual(['starting shop']);
  });

  it('goes by the spec of today: a wrong command may have been mended since', async () => {
    const broken = {
      name: 'shop',
      stop: ['true'],
      start: ['false'],
      'start-timeout': 5,
      'runs-on': 'target' as const,
    };
    const stopped = { ...entry('http://127.0.0.1:9/'), detail: broken };
    await expect(startApplication(stopped, [{ ...broken, name: 'jobs' }], () => {})).rejects.toMatchObject({
      message: 'Starting shop failed: false ended with exit code 1.',
      hint: 'It printed nothing.',
    });
    await startApplication(stopped, [{ ...broken, start: ['true'] }], () => {});
  });

  it('tells why nobody answers', async () => {
    const gone = await listen(async () => {});
    await gone[Symbol.asyncDispose]();
    await expect(startApplication(entry(gone.origin, 0.1), [], () => {})).rejects.toMatchObject({
      message: `shop was started, but ${gone.origin} did not answer within 0.1 seconds (connect ECONNREFUSED ${new URL(gone.origin).host}).`,
    });
  });

  it('gives up after its time, and says what it saw last', async () => {
    await using server = await listen(async (_request, response) => void response.writeHead(503).end());
    await expect(startApplication(entry(`${server.origin}/health`, 0.1), [], () => {})).rejects.toMatchObject(
      {
        code: 'application-health',
        message: `shop was started, but ${server.origin}/health did not answer within 0.1 seconds (HTTP 503).`,
        hint: "Look at the application's own log. The database is up.",
      },
    );
  });
});
