/** Mode `rehearse`: the whole upgrade on a restored copy of the wanted version. The target is only read. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dump, takeDump } from '../backup/dump.ts';
import { pruneBackups } from '../backup/prune.ts';
import { describeSource } from '../backup/source.ts';
import type { EnvironmentFacts } from '../environments/environment.ts';
import { Cancelled, errorsOf, UpgradeError } from '../errors.ts';
import { formatVersion } from '../postgres/version.ts';
import { assertUsableTarget } from '../releases/releases.ts';
import type { ProofRecord } from '../report/record.ts';
import type { RehearsalRecord } from '../report/record-rehearsal.ts';
import { rehearsalGoesOn } from '../report/refusals.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { askChecks } from './ask-checks.ts';
import { backupFolder, clientsFor, nameOf, recordOf, stampOf, withWork } from './backup-step.ts';
import { connectTo } from './connect.ts';
import { runName } from './context.ts';
import type { Ending } from './finish.ts';
import { openJournal } from './journal.ts';
import { acquireLock } from './lock.ts';
import { assertNoDowngrade } from './plan.ts';
import { inspectServing, planFor } from './prepare.ts';
import { endingOf } from './rehearsal/ending.ts';
import { expectRestore } from './rehearsal/measure.ts';
import { assertIntact, performOn, startCopy } from './rehearsal/perform.ts';
import { assertRoom } from './rehearsal/room.ts';
import { givenBackup, originOf } from './rehearsal/source.ts';
import { emptyRehearsal, type Stages, stagesOf } from './rehearsal/stages.ts';
import { basisOf, lastRehearsal, rehearsedOf } from './rehearsed.ts';
import { snapshotOf } from './snapshots.ts';
import { putBackAll, type Run, stepRun } from './target.ts';
import { assertNobodyElse } from './upgrade-mode.ts';

/** Rehearsals that are remembered. */
const remembered = 60;

/** @throws UpgradeError `locked`, `rehearsal-space`, `downgrade`, `version-avoid`, `server-down`, `clients-missing` */
export async function rehearseMode(run: Run): Promise<Ending> {
  const { journal, recorder, wanted, context, environment } = run;
  const { record } = recorder;
  assertNobodyElse(run);
  // In the middle of an upgrade the target is neither the one nor the other.
  assertNobodyElse({ ...run, journal: await openJournal(environment.home.journal, context.now) });
  if (journal.state().begin) {
    context.log.info(`${run.spec.name}: a rehearsal was killed; cleaning up after it`);
    journal.adopt();
    const [failure] = await putBackAll(run);
    if (failure) throw failure;
    await journal.end('cancelled', 'discard');
  }
  const facts = await inspectServing(run);
  const { running } = facts;
  run.lock = await acquireLock(run.settings, runName(context), 'rehearsal');
  record.versions.from = formatVersion(running);
  assertNoDowngrade(running, wanted);
  assertUsableTarget(wanted);
  await lookAtTarget(run, facts);
  record.rehearsed = await lastRehearsal(run, formatVersion(running), formatVersion(wanted));
  await journal.begin({
    run: runName(context),
    mode: 'rehearse',
    from: formatVersion(running),
    wanted: formatVersion(wanted),
  });
  const rehearsal = emptyRehearsal();
  record.rehearsal = rehearsal;
  await rehearse(run, rehearsal, stagesOf(run, rehearsal));
  rehearsal.passed = rehearsal.stages.length > 0 && rehearsal.stages.every(({ state }) => state === 'passed');
  recorder.save();
  await journal.rehearsed(rehearsedOf(record, rehearsal, basisOf(run), context.now()));
  await environment.home.rehearsals.prune(remembered);
  // An upgrade that did not end may still need its backup.
  const upgrade = await openJournal(environment.home.journal, context.now);
  if (rehearsal.passed && rehearsal.backup?.from === 'fresh' && upgrade.state().begin === null)
    await pruneBackups(backupFolder(run), run.spec.name, context.now()).catch(() => []);
  return endingOf(run, rehearsal);
}

/**
 * Plan and checks of the target itself: they are told, and keep nothing from being rehearsed but a lack of room.
 * @throws UpgradeError `rehearsal-space`
 */
async function lookAtTarget(run: Run, facts: EnvironmentFacts): Promise<void> {
  const { recorder, context, spec } = run;
  const told = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((cause: unknown) => {
      if (cause instanceof Cancelled) throw cause;
      for (const error of errorsOf(cause)) {
        recorder.issue(error, rehearsalGoesOn);
        context.log.info(`${spec.name}: ${error.message}`);
      }
    });
  };
  const { running } = facts;
  await told(() => planFor(run, facts, running));
  await told(() => askChecks(run, 'before', running, run.wanted, mayAsk(run)));
  await assertRoom(run);
}

/** What the connection's role may dump matters only where it dumps. */
function mayAsk(run: Run): (id: string) => boolean {
  const rights = ['superuser-or-roles', 'unreadable-tables', 'rls-tables'];
  return (id) => originOf(run).origin === 'fresh' || !rights.includes(id);
}

async function rehearse(run: Run, rehearsal: RehearsalRecord, stages: Stages): Promise<void> {
  const { spec, context, recorder, wanted } = run;
  const { origin } = originOf(run);
  const step = stepRun(run, null, true);
  const clients = await clientsFor(run, { ...step, note: (line) => context.log.info(`  ${line}`) });
  const folder = join(backupFolder(run), `${spec.name}-${stampOf(run)}`);
  await withWork(run, step, folder, async (work) => {
    const given =
      origin === 'fresh'
        ? null
        : await stages.run('backup', 'Find the backup', async (note) => {
            const found = await givenBackup(run, work, note);
            assertSameCluster(run, found.snapshot);
            await assertIntact(found.dump, context.signal);
            return found;
          });
    if (origin !== 'fresh' && given === null) return;
    const like = given?.dump ?? (await describe(run));
    await using server = await startCopy(run, stages, rehearsal, like, work);
    if (server === null) return;
    let backup: { dump: Dump; snapshot: Snapshot | null; where: string } | null = given;
    let dumpMs: number | null = null;
    if (given === null) {
      const begun = Date.now();
      backup = await stages.run('backup', 'Take a backup', async (note) => {
        const snapshot = await snapshotOf(run);
        const dump = await takeDump({
          clients,
          jobs: spec.backup.jobs,
          signal: context.signal,
          progress: step.progress,
          work,
          settings: run.settings,
          folder,
          target: spec.name,
          compress: spec.backup.compress,
          keepDays: spec.backup['keep-days'],
          snapshot,
        });
        note(`${dump.databases.length} databases and the roles in ${folder}`);
        await assertIntact(dump, context.signal);
        return { dump, snapshot, where: folder };
      });
      dumpMs = Date.now() - begun;
    }
    if (backup === null) return;
    const { dump } = backup;
    rehearsal.backup = {
      from: origin,
      location: backup.where,
      taken: dump.started,
      server: dump.manifest.server,
      manifestSha256: dump.manifestSha256,
    };
    if (given === null) recorder.record.backup = recordOf(dump, unproved, nameOf(clients));
    const proof = await performOn(run, stages, rehearsal, { ...backup, server, clients, work });
    if (proof !== null && recorder.record.backup) recorder.record.backup.proof = proof;
    const major = Number(dump.manifest.server.split('.')[0]);
    if (major !== wanted.major) expectRestore(rehearsal.measures, dumpMs);
  }).finally(async () => {
    // A dump that nobody could prove is no backup: it must not lie about as one.
    if (recorder.record.backup?.proof.verdict !== 'proved' && origin === 'fresh') {
      await rm(folder, { recursive: true, force: true });
      recorder.record.backup = null;
    }
  });
}

const unproved: ProofRecord = {
  method: 'restore',
  verdict: 'not-proved',
  restoredInto: null,
  databases: 0,
  tables: 0,
  rows: 0,
  sequences: 0,
  largeObjects: 0,
  objects: 0,
  notCompared: [],
  differences: [],
  durationMs: 0,
};

/** @throws UpgradeError `backup-other-cluster`: what was rehearsed with it says nothing about this target */
function assertSameCluster({ recorder, spec }: Run, snapshot: Snapshot | null): void {
  const was = snapshot?.server['system identifier'];
  const is = recorder.record.target.systemIdentifier;
  if (was === undefined || is === null || was === is) return;
  throw new UpgradeError(
    'backup-other-cluster',
    `The backup is one of another cluster (system identifier ${was}); ${spec.name} is ${is}.`,
    {
      phase: 'rehearse',
      hint: 'It has the same name in the spec, and that is all. Name a backup of this cluster, or take a fresh one.',
      docs: 'rehearsals.md#which-backup',
    },
  );
}

/** What a scratch server must be like, from the target itself. @throws UpgradeError `backup-role` */
async function describe(run: Run): Promise<Pick<Dump, 'superuser' | 'encoding' | 'preload'>> {
  await using connection = await connectTo(run);
  return await describeSource(connection);
}
