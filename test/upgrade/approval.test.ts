/** A plan that is not the approved one is refused, whatever can or cannot be said of what changed. */
import { describe, expect, it } from 'vitest';
import type { UpgradeError } from '../../src/errors.ts';
import type { PlanFile } from '../../src/report/plan-file.ts';
import type { PlanRecord } from '../../src/report/record.ts';
import { assertApproved } from '../../src/upgrade/approval.ts';
import { parsePlanFile } from '../../src/upgrade/approval-file.ts';
import type { Outside } from '../../src/upgrade/context.ts';
import { digestOf } from '../../src/upgrade/digest.ts';
import { failureOf } from '../support/targets.ts';
import { planned, type World, world } from './world.ts';

const steps = [planned('restart', { title: 'Restart on 15.20' })];
function planWith(decision: PlanRecord['decision']): PlanRecord {
  return {
    digest: digestOf(decision),
    decision,
    route: 'minor-in-place',
    from: '15.17',
    wanted: '15.20',
    steps,
    notes: [],
    risk: { class: 'minor', reasons: [] },
    downtime: { expectedMs: null, basis: 'x' },
  };
}
const fileOf = (plan: PlanRecord, target = 'orders'): PlanFile => ({
  version: 1,
  target,
  made: '2026-11-20T18:00:00.000Z',
  run: null,
  commit: null,
  plan,
});

type Begun = Parameters<typeof assertApproved>[2];

const before = planWith({ from: '"15.17"', prove: '"restore"' });
const now = planWith({ from: '"15.18"', prove: '"restore"' });
const [was, is] = [before.digest.slice(0, 12), now.digest.slice(0, 12)];

async function refusal(here: World, plan = now, begun: Begun = null): Promise<UpgradeError> {
  return await failureOf(assertApproved(here.run, plan, begun));
}

const outside = (approvedPlan: Outside['approvedPlan']): Outside => ({
  approvedPlan,
  lastRecord: async () => null,
  latestDump: () => Promise.reject(new Error('nothing is here')),
});

describe('assertApproved', () => {
  it('lets pass the approved plan, and any where none was approved', async () => {
    using here = await world();
    await assertApproved(here.run, now);
    here.run.context.planDigest = now.digest;
    await assertApproved(here.run, now);
  });

  it('names what changed, from the file that was given', async () => {
    using here = await world();
    Object.assign(here.run.context, { planDigest: before.digest, approvedPlan: fileOf(before) });
    expect(await refusal(here)).toMatchObject({
      code: 'plan-drift',
      message: `The plan is not the one that was approved: it is ${is}, approved was ${was}. Changed since: the running version: 15.17 → 15.18.`,
      hint: 'Run mode: plan again and approve that, or bring back what was approved.',
      phase: 'plan',
      docs: 'plans.md#drift',
    });
  });

  it('names three in the message and all in the hint', async () => {
    using here = await world();
    const other = planWith({
      from: '"15.18"',
      prove: '"none"',
      pause: '"first"',
      'steps[0].id': '"restart"',
      'steps[0].undo': '"x"',
    });
    const first = planWith({
      from: '"15.17"',
      prove: '"restore"',
      pause: '"none"',
      'steps[0].id': '"restart"',
    });
    Object.assign(here.run.context, { planDigest: first.digest, approvedPlan: fileOf(first) });
    const error = await refusal(here, other);
    expect(error.message).toMatch(
      /Changed since: the running version: 15\.17 → 15\.18; how the backup is proved \(backup\.prove\): restore → none; where it pauses \(pause\): none → first; and 1 more\.$/,
    );
    expect(error.hint?.split('\n')).toEqual([
      'Changed: the running version: 15.17 → 15.18',
      'Changed: how the backup is proved (backup.prove): restore → none',
      'Changed: where it pauses (pause): none → first',
      'Changed: step Restart on 15.20: what undoes it',
      'Run mode: plan again and approve that, or bring back what was approved.',
    ]);
  });

  it('asks GitHub where no file was given', async () => {
    using here = await world();
    const asked: string[][] = [];
    Object.assign(here.run.context, {
      planDigest: before.digest,
      outside: outside(async (...names) => {
        asked.push(names);
        return fileOf(before);
      }),
    });
    expect((await refusal(here)).message).toContain('Changed since: the running version');
    expect(asked).toEqual([['orders', before.digest]]);
  });

  it.each<[string, Outside | null, string]>([
    [
      'nobody can be asked',
      null,
      'the input plan-file is empty, and no artifact plan.json with this digest was found',
    ],
    [
      'GitHub has none',
      outside(async () => null),
      'the input plan-file is empty, and no artifact plan.json with this digest was found',
    ],
    ['GitHub does not answer', outside(() => Promise.reject(new Error('HTTP 503.'))), 'HTTP 503'],
  ])('refuses all the same, and says so, where %s', async (_what, from, why) => {
    using here = await world();
    Object.assign(here.run.context, { planDigest: before.digest, outside: from });
    expect((await refusal(here)).message).toBe(
      `The plan is not the one that was approved: it is ${is}, approved was ${was}. What was approved could not be read, so nobody can say here what changed: ${why}.`,
    );
  });

  it('shows no secret, and knows that one may be all that changed', async () => {
    using here = await world();
    here.run.context.secrets.add('hunter2');
    const file = planWith({ from: '"15.17"', stop: '"curl ***"' });
    Object.assign(here.run.context, { planDigest: before.digest, approvedPlan: fileOf(file) });
    const error = await refusal(here, planWith({ from: '"15.17"', stop: '"curl hunter2"' }));
    expect(error.message).toMatch(/Changed since: a value that is a secret, or that another version/);
    const more = await refusal(here, planWith({ from: '"15.17"', stop: '"wget hunter2"' }));
    expect(more.message).toContain('Changed since: stop: curl *** → wget ***.');
  });

  it('compares a resumed run with the plan that it began with', async () => {
    using here = await world();
    here.run.context.planDigest = before.digest;
    const { digest, decision } = before;
    await assertApproved(here.run, before, { digest, decision });
    expect(await refusal(here, now, { digest: now.digest, decision: now.decision })).toMatchObject({
      code: 'plan-drift',
      message: `The unfinished run began with the plan ${is}, and ${was} was approved.`,
      hint: `What was begun is finished as it was begun: under the approval of ${now.digest}. Or go back with mode: rollback.`,
    });
    expect(await refusal(here, now, { digest })).toMatchObject({
      code: 'plan-drift',
      message: `The unfinished run began with the plan ${was}, but its journal does not hold that plan. So nobody can say whether it would be finished as it was approved.`,
    });
  });

  it('holds a resumed run to what does not change with the upgrade itself', async () => {
    using here = await world();
    const decision = {
      target: '"orders"',
      'environment.kind': '"embedded"',
      systemIdentifier: '"7"',
      'details[0][0]': '"server programs"',
      'details[0][1]': '"/15.17"',
      prove: '"restore"',
      'steps[0].id': '"backup"',
      'steps[0].does[0]': '"pg_dump"',
      'steps[1].id': '"configure"',
      'steps[1].does[0]': '"SET x"',
      'steps[2].id': '"restart"',
      'steps[2].does[0]': '"pg_ctl"',
      'steps[3].id': '"advice"',
      'steps[3].does[0]': '"REINDEX"',
      'applications[0].name': '"shop"',
      'applications[0].stop[0]': '"a"',
      'advice.by': '"apply"',
      'advice.applies[0]': '"hash-float-nan"',
    };
    const begun = planWith(decision);
    here.run.context.planDigest = begun.digest;
    // The new version serves: other programs, and the advice is carried out.
    const later = {
      ...Object.fromEntries(
        Object.entries(decision).filter(([path]) => !/^(steps|details|advice\.applies)/.test(path)),
      ),
      'details[0][0]': '"server programs"',
      'details[0][1]': '"/15.20"',
      'steps[0].id': '"backup"',
      'steps[0].does[0]': '"pg_dump"',
      'steps[1].id': '"restart"',
      'steps[1].does[0]': '"pg_ctl"',
      'advice.applies': '[]',
    };
    await assertApproved(here.run, planWith(later), begun);
    const other = { ...later, prove: '"none"', 'applications[0].stop[0]': '"b"', systemIdentifier: '"8"' };
    expect(await refusal(here, planWith({ ...other, 'steps[1].does[0]': '"kill"' }), begun)).toMatchObject({
      code: 'plan-drift',
      message:
        'The unfinished run would not be finished as it was approved. Changed since: the cluster itself (its system identifier): 7 → 8; how the backup is proved (backup.prove): restore → none; application shop, how it is stopped: a → b; and 1 more.',
      hint: expect.stringMatching(
        /Changed: step Restart on 15.20: what it runs\nBring back what was approved, then run mode: resume again\. Or go back with mode: rollback\.$/,
      ),
    });
  });
});

describe('parsePlanFile', () => {
  const text = (file: unknown): string => JSON.stringify(file);
  const read = (file: string) => parsePlanFile(file, 'plan-file', 'orders', before.digest);

  it('reads what was written', () => {
    expect(read(text(fileOf(before)))).toEqual(fileOf(before));
  });

  it('believes the digest where a secret is hidden', () => {
    const hidden = { ...before, decision: { from: '"***"' } };
    expect(read(text(fileOf(hidden))).plan.decision).toEqual({ from: '"***"' });
  });

  it.each<[string, string, string]>([
    ['no JSON', '{', 'it is not JSON ('],
    ['another document', '{"version":2}', 'version: '],
    ['a key too many', text({ ...fileOf(before), more: 1 }), 'the document: '],
    [
      'the plan of another target',
      text(fileOf(before, 'stock')),
      'it is of the target stock, not of orders.',
    ],
    ['another plan', text(fileOf(now)), `it has the digest ${is}, and plan-digest is ${was}.`],
    [
      'a plan that was changed',
      text(fileOf({ ...before, decision: { from: '"15.1"' } })),
      'what it holds does not give its digest; it was changed.',
    ],
  ])('refuses %s', (_what, file, why) => {
    expect(() => read(file)).toThrow(
      expect.objectContaining({
        code: 'plan-file',
        message: expect.stringContaining(`plan-file is not the approved plan: ${why}`),
        phase: 'inputs',
      }),
    );
  });
});
