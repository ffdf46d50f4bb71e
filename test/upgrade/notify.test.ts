/** Who is told what and when, by a run in memory to receivers that are real. */
import { describe, expect, it } from 'vitest';
import type { Channel } from '../../src/spec/fleet-schema.ts';
import { finish } from '../../src/upgrade/finish.ts';
import { notify } from '../../src/upgrade/notify.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type World, type WorldOptions, world } from './world.ts';

const always: Channel['at'] = ['start', 'pause', 'end'];

/** A run whose target tells `channels`, each at the receiver unless `variables` says otherwise. */
async function telling(
  receiver: Receiver,
  channels: Record<string, Channel>,
  variables: Record<string, string> = {},
  options: WorldOptions = {},
): Promise<World> {
  const here = await world(options);
  const { run } = here;
  run.context.variables = { HOOK: receiver.url, ...variables };
  run.target.fleet.channels = channels;
  run.spec.notify = Object.keys(channels);
  run.recorder.record.versions.from = '15.17';
  return here;
}

function log({ run }: World): [string, boolean, string | null][] {
  return run.recorder.record.communication
    .filter(({ to }) => to !== 'terminal')
    .map(({ to, delivered, why }) => [to, delivered, why]);
}

const types = (receiver: Receiver): string[] =>
  receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

describe('a channel', () => {
  it('hears only what it asked for', async () => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: ['pause'] } });
    await notify(here.run, 'start');
    await notify(here.run, 'end');
    expect(receiver.received).toEqual([]);
    await notify(here.run, 'pause');
    expect(types(receiver)).toEqual(['postgres-upgrade.paused']);
    expect(log(here)).toEqual([['webhook ops', true, null]]);
  });

  it('that is named twice is told once; without one nobody is', async () => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { slack: 'env:HOOK', at: always } });
    here.run.spec.notify = ['ops', 'ops'];
    await notify(here.run, 'start');
    expect(receiver.received).toHaveLength(1);
    here.run.spec.notify = [];
    await notify(here.run, 'start');
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    ['not an address', 'its address is not an https URL'],
    ['http://example.com/s3cret', 'its address is not an https URL'],
    ['https://me:s3cret@example.com/', 'its address holds a user or a password: pass a token instead'],
    ['', 'The environment variable HOOK is not set'],
  ])('at "%s" is not told, and the record does not hold it', async (url, why) => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { slack: 'env:HOOK', at: always } }, { HOOK: url });
    await notify(here.run, 'end');
    expect(log(here)).toEqual([['Slack channel ops', false, why]]);
    expect(here.events).toEqual(['warning orders: Slack channel ops was not told']);
    expect(JSON.stringify(here.run.recorder.record)).not.toContain('s3cret');
  });

  it('gets no secret that the record holds by accident', async () => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: always } });
    here.run.context.secrets.add('hunter22');
    here.run.recorder.record.verdict = 'The password hunter22 was refused.';
    await notify(here.run, 'end');
    expect(JSON.parse(receiver.received[0]?.body ?? '{}').data.verdict).toBe('The password *** was refused.');
  });
});

describe('the end of a run', () => {
  const paused = { result: 'paused', verdict: 'Paused.', next: null, finished: false } as const;
  const begin = { run: 'process 1', mode: 'upgrade', from: '15.17', wanted: '15.20' } as const;

  it('that waits for a person is a pause, told when the journal is written', async () => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: always } });
    await here.run.journal.begin(begin);
    await finish(here.run, paused);
    expect(types(receiver)).toEqual(['postgres-upgrade.paused']);
    expect(JSON.parse(receiver.received[0]?.body ?? '{}').data).toMatchObject({
      result: 'paused',
      verdict: 'Paused.',
      now: '15.17',
    });
    expect(here.journal()).toEqual(['begin', 'end paused']);
  });

  it('does not wait for a channel before the journal is closed', async () => {
    await using receiver = await startReceiver();
    receiver.answer({ status: 200, stall: true });
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: always } });
    await here.run.journal.begin(begin);
    const ending = finish(here.run, { ...paused, result: 'failed' });
    await expect.poll(() => receiver.received.length).toBe(1);
    expect(here.journal()).toEqual(['begin', 'end failed']);
    // Three seconds from now on, not five.
    const begun = Date.now();
    here.stop.abort();
    await ending;
    expect(Date.now() - begun).toBeLessThan(4500);
    expect(log(here)).toEqual([['webhook ops', false, 'there was no time left for it']]);
  });

  it.each(['plan', 'check', 'rehearse'] as const)('of mode %s is nobody’s business', async (mode) => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: always } }, {}, { mode });
    await finish(here.run, { ...paused, result: 'success' });
    expect(receiver.received).toEqual([]);
  });

  it('that could not even open its target is told', async () => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: always } });
    const record = await runTarget(here.run.target, here.run.context);
    expect(record.issues.map(({ code }) => code)).toEqual(['secret-missing']);
    expect(JSON.parse(receiver.received[0]?.body ?? '{}')).toMatchObject({
      type: 'postgres-upgrade.finished',
      data: { result: 'failed', verdict: record.verdict },
    });
    expect(record.communication).toMatchObject([{ to: 'webhook ops', delivered: true }]);
  });

  it('with nothing to do is no news', async () => {
    await using receiver = await startReceiver();
    using here = await telling(receiver, { ops: { webhook: 'env:HOOK', at: always } });
    await finish(here.run, { ...paused, result: 'skipped' });
    expect([receiver.received, log(here)]).toEqual([[], []]);
  });
});
