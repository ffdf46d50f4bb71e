/** What an upgrade asks and does, asked and done on a restored copy. Each throws where the copy does not bear it. */
import type { Dump } from '../../backup/dump.ts';
import { verdictOf } from '../../checks/run.ts';
import { UpgradeError, type UpgradeErrorOptions } from '../../errors.ts';
import { compareSnapshots, unexpectedOf } from '../../health/diff.ts';
import { parseVersion } from '../../postgres/version.ts';
import type { QueryRecord } from '../../report/record.ts';
import type { Snapshot } from '../../report/snapshot.ts';
import type { HealthFile } from '../../spec/health-schema.ts';
import { adviceStep } from '../advice-step.ts';
import { askAdvice } from '../ask-advice.ts';
import { askChecks, thresholdsOf } from '../ask-checks.ts';
import { askHealth, blockingQueries, namedQuery } from '../ask-health.ts';
import { configureStep, neededSettings } from '../needed-settings.ts';
import { snapshotOf } from '../snapshots.ts';
import { type Run, stepRun } from '../target.ts';
import { tellsOfCopy } from './checks-on-copy.ts';
import { explainedBy, factsOfCopy } from './compare-copy.ts';
import type { Note } from './stages.ts';

/** Asks the release advice of the copy, carries out what is safe, and updates its extensions. */
export async function adviceOnCopy(copy: Run, dump: Dump, note: Note): Promise<void> {
  const { record } = copy.recorder;
  const step = { ...stepRun(copy, null, true), note };
  record.advice = await askAdvice(copy, parseVersion(dump.manifest.server), copy.wanted);
  if (neededSettings(record.advice).length > 0) await configureStep(copy).run(step);
  await adviceStep(copy).run(step);
  const [failed, ...more] = record.issues;
  if (record.advice.length === 0) note('nothing applies');
  if (!failed) return;
  throw new UpgradeError('rehearsal-advice', failed.what, {
    phase: 'rehearse',
    hint: [failed.hint ?? '', ...more.map(({ what, hint }) => `${what} ${hint ?? ''}`)].join('\n').trim(),
    docs: 'rehearsals.md#when-it-fails',
  });
}

/** @throws UpgradeError `rehearsal-checks` */
export async function checkCopy(run: Run, copy: Run, note: Note): Promise<void> {
  const results = await askChecks(copy, 'after', copy.wanted, copy.wanted, tellsOfCopy);
  run.recorder.record.checks.push(...results);
  const { blocking } = verdictOf(results);
  note(`${results.length} checks about the content, ${blocking.length} block`);
  if (blocking.length === 0) return;
  throw new UpgradeError(
    'rehearsal-checks',
    `On the copy ${blocking.map(({ title }) => `"${title}"`).join(', ')} ${blocking.length === 1 ? 'does' : 'do'} not hold.`,
    {
      phase: 'rehearse',
      hint: blocking
        .map(({ title, seen, fix }) => `${title}: ${seen.slice(0, 3).join('; ')} ${fix ?? ''}`.trim())
        .join('\n'),
      docs: 'rehearsals.md#when-it-fails',
    },
  );
}

/** @throws UpgradeError `rehearsal-facts` */
export async function compareCopy(
  run: Run,
  copy: Run,
  before: Snapshot | null,
  closed: readonly string[],
  note: Note,
): Promise<void> {
  const after = await snapshotOf(copy);
  const { record } = run.recorder;
  record.health = { before, after };
  if (before === null) {
    note('the backup holds no health snapshot of its source: only its own inventory was compared');
    return;
  }
  const facts = compareSnapshots(before, after, {
    wantedNum: copy.wanted.major * 10_000 + copy.wanted.minor,
    changed: [],
    thresholds: thresholdsOf(run.spec),
  });
  record.facts = factsOfCopy(facts, explainedBy(before, after, closed));
  const unexpected = unexpectedOf(record.facts);
  note(`${record.facts.filter(({ verdict }) => verdict === 'equal').length} facts are as in the source`);
  if (unexpected.length === 0) return;
  throw new UpgradeError(
    'rehearsal-facts',
    `${unexpected.length === 1 ? '1 fact differs' : `${unexpected.length} facts differ`} between the source and the copy: ${unexpected
      .slice(0, 5)
      .map(({ name }) => name)
      .join(', ')}.`,
    {
      phase: 'rehearse',
      hint: unexpected
        .slice(0, 5)
        .map(({ name, before: was, after: is }) => `${name}: ${was ?? 'nothing'} → ${is ?? 'nothing'}`)
        .join('\n'),
      docs: 'rehearsals.md#when-it-fails',
    },
  );
}

/** The user's own health SQL. @throws UpgradeError `rehearsal-health` */
export async function askCopy(run: Run, copy: Run, note: Note): Promise<void> {
  const bad = tell(run, await askHealth(copy, 'after'), 'your own health SQL', note);
  if (bad.length > 0) throw new UpgradeError('rehearsal-health', namesOf(bad), about(bad));
}

/** The spec's smoke queries. @throws UpgradeError `rehearsal-smoke` */
export async function askSmoke(run: Run, copy: Run, note: Note): Promise<void> {
  const smoke: readonly HealthFile[] = run.spec.rehearsal.smoke;
  const asked = await askHealth({ ...copy, spec: { ...copy.spec, health: [...smoke] } }, 'after');
  const bad = tell(run, asked, 'the smoke queries', note);
  if (bad.length > 0) throw new UpgradeError('rehearsal-smoke', namesOf(bad), about(bad));
}

/** @returns those that do not pass */
function tell(run: Run, asked: readonly QueryRecord[], what: string, note: Note): QueryRecord[] {
  run.recorder.record.queries.push(...asked);
  const bad = blockingQueries(asked);
  note(
    `${what}: ${asked.length} ${asked.length === 1 ? 'statement' : 'statements'}, ${bad.length} ${bad.length === 1 ? 'does' : 'do'} not pass`,
  );
  return bad;
}

function namesOf(bad: readonly QueryRecord[]): string {
  return `On the copy ${bad.map(namedQuery).join(', ')} ${bad.length === 1 ? 'does' : 'do'} not pass.`;
}

function about(bad: readonly QueryRecord[]): UpgradeErrorOptions {
  return {
    phase: 'rehearse',
    hint: [
      ...bad.slice(0, 5).map((query) => `${namedQuery(query)}: ${query.why ?? ''}`),
      ...(bad.some(({ why }) => /has no handler/.test(why ?? ''))
        ? ['Foreign tables reach nothing in a rehearsal: leave them out of these files.']
        : []),
    ].join('\n'),
    docs: 'rehearsals.md#when-it-fails',
  };
}
