/** The step that decides whether the upgrade was good: version, facts, checks. */
import type { CheckResult } from '../checks/check.ts';
import { verdictOf } from '../checks/run.ts';
import type { Step, StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { unexpectedOf } from '../health/diff.ts';
import { awaitStandbys } from '../health/standbys.ts';
import { compareVersions, formatVersion, type PgVersion } from '../postgres/version.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { askChecks } from './ask-checks.ts';
import { askHealth, blockingQueries, namedQuery } from './ask-health.ts';
import { connectTo } from './connect.ts';
import { compareWith } from './snapshots.ts';
import type { Run } from './target.ts';

/** @throws UpgradeError `validation-version`, `validation-facts`, `validation-checks`, `validation-health` */
export function validateStep(run: Run, expected: PgVersion): Step {
  return {
    // Found good once, and still served: what a resumed run has left to do comes after it, with applications at work.
    async isDone() {
      if (run.journal.state().steps.get('validate') !== 'done') return false;
      const facts = await run.environment.inspect().catch(() => null);
      return facts?.serving === true && compareVersions(facts.running, expected) === 0;
    },
    async run(step) {
      const { running } = await run.environment.inspect();
      if (compareVersions(running, expected) !== 0) {
        throw new UpgradeError(
          'validation-version',
          `The target serves ${formatVersion(running)}, not ${formatVersion(expected)}.`,
          { phase: 'validate' },
        );
      }
      const before = run.journal.state().snapshot;
      if (before) {
        await awaitStandbys(() => connectTo(run), before, 60_000, step.signal);
        await validateFacts(run, before, expected, step.signal);
        const { facts } = run.recorder.record;
        step.note(
          `${facts.filter(({ verdict }) => verdict === 'equal').length} facts are as before, ${facts.filter(({ verdict }) => verdict === 'expected').length} changed as expected`,
        );
      }
      if (!before) {
        run.recorder.issue(
          new UpgradeError(
            'not-compared',
            'There is no snapshot from before: nothing was compared with it.',
            {
              phase: 'validate',
              hint: 'The journal was begun by an older version of the action, or before there was a server to ask.',
            },
          ),
          'Only the version, the checks and your own SQL were looked at.',
        );
      }
      step.progress('asking every check again');
      const results = await askUntilCalm(run, expected, step.signal);
      const { blocking } = verdictOf(results);
      if (blocking.length > 0) {
        throw new UpgradeError(
          'validation-checks',
          `After the upgrade ${blocking.map(({ title }) => title).join(', ')} ${blocking.length === 1 ? 'does' : 'do'} not pass.`,
          {
            phase: 'validate',
            hint: blocking
              .flatMap(({ seen }) => seen)
              .slice(0, 3)
              .join('\n'),
          },
        );
      }
      step.note(`${results.length} checks: ${countByStatus(results)}`);
      await validateQueries(run, step);
      return { state: 'done' };
    },
  };
}

async function validateFacts(
  run: Run,
  before: Snapshot,
  expected: PgVersion,
  signal: AbortSignal,
): Promise<void> {
  const facts = await compareWith(run, before, expected, signal);
  const unexpected = unexpectedOf(facts);
  for (const { name, before: was, after: is, why } of facts.filter(({ verdict }) => verdict === 'alert'))
    run.context.log.annotate({
      level: 'warning',
      title: `${run.spec.name}: ${name}`,
      message: `${was ?? 'nothing'} → ${is ?? 'nothing'}${why ? `: ${why}` : ''}`,
      place: run.target.place,
    });
  if (unexpected.length === 0) return;
  throw new UpgradeError(
    'validation-facts',
    `${unexpected.length === 1 ? '1 fact' : `${unexpected.length} facts`} changed that should not have: ${unexpected
      .slice(0, 5)
      .map(({ name }) => name)
      .join(', ')}.`,
    {
      phase: 'validate',
      hint: unexpected
        .slice(0, 3)
        .map(
          ({ name, before: was, after: is, rule }) =>
            `${name}: ${was ?? 'nothing'} → ${is ?? 'nothing'} (${rule})`,
        )
        .join('\n'),
      docs: 'troubleshooting.md#validation-facts',
    },
  );
}

/** @throws UpgradeError `validation-health`: the user's own SQL says that something is wrong */
export async function validateQueries(run: Run, step: StepRun): Promise<void> {
  const queries = await askHealth(run, 'after');
  if (queries.length === 0) return;
  const bad = blockingQueries(queries);
  if (bad.length > 0) {
    throw new UpgradeError(
      'validation-health',
      `After the upgrade ${bad.map(namedQuery).join(', ')} ${bad.length === 1 ? 'does' : 'do'} not pass.`,
      {
        phase: 'validate',
        hint: bad
          .slice(0, 3)
          .map((query) => `${namedQuery(query)}: ${query.why ?? ''}`)
          .join('\n'),
        docs: 'health.md',
      },
    );
  }
  step.note(
    `your own health SQL passes: ${queries.length === 1 ? '1 statement' : `${queries.length} statements`}`,
  );
}

/** Seconds after a restart caches are cold and standbys behind: what blocks is asked again before it counts. */
export async function askUntilCalm(
  run: Run,
  expected: PgVersion,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const { record } = run.recorder;
  for (let attempt = 1; ; attempt += 1) {
    const results = await askChecks(run, 'after', expected, expected);
    if (verdictOf(results).blocking.length === 0 || attempt === 5 || signal.aborted) return results;
    record.checks = record.checks.filter(({ when }) => when === 'before');
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** "19 passed, 2 info, 2 skipped". */
export function countByStatus(results: readonly CheckResult[]): string {
  const statuses = [...new Set(results.map(({ status }) => status))];
  const count = (status: string): number => results.filter((result) => result.status === status).length;
  return statuses
    .sort((a, b) => count(b) - count(a))
    .map((status) => `${count(status)} ${status}`)
    .join(', ');
}
