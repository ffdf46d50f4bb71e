/** The step that takes a backup and proves it; nothing may be changed before it is done. */
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { takeDump } from '../backup/dump.ts';
import { proveDump } from '../backup/prove.ts';
import type { Step, StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { findClients } from '../postgres/clients.ts';
import { formatVersion } from '../postgres/version.ts';
import { type BackupWork, backupWork } from './backup-work.ts';
import type { Run } from './target.ts';

/** Folder of this target's backups: the spec's, else the environment's. */
export function backupFolder(run: Run): string {
  return run.spec.backup.directory ?? run.environment.home.backups;
}

/** @throws UpgradeError `backup-not-proved` with what differs; the backup stays for a look */
export function backupStep(run: Run): Step {
  return {
    isDone: async () => false,
    async run(step) {
      await backup(run, step);
      return { state: 'done' };
    },
  };
}

async function backup(run: Run, step: StepRun): Promise<void> {
  const { spec, context, recorder, environment, wanted } = run;
  const clients = await findClients(wanted.major, spec.backup.clients ? [spec.backup.clients] : []);
  const used = `${join(clients.bin, 'pg_dump')} ${formatVersion(clients.version)}`;
  step.note(`client programs: ${used}`);
  if (clients.version.major !== wanted.major) {
    step.note(
      `no client programs of PostgreSQL ${wanted.major} are installed: those of ${clients.version.major} are used, and the proof decides`,
    );
  }
  const stamp = context.now().toISOString().replaceAll(/[:.]/g, '-');
  const folder = join(backupFolder(run), `${spec.name}-${stamp}`);
  const work = join(backupFolder(run), `work-${stamp}`);
  const common = { clients, jobs: spec.backup.jobs, signal: step.signal, progress: step.progress, work };
  await step.switchOff({
    id: backupWork,
    what: 'a scratch server, a password file and an unfinished dump are there',
    detail: { work, dump: folder } satisfies BackupWork,
  });
  // A dump that was not finished, or that nobody could look at, is no backup: it must not lie about as one.
  const discard = async (cause: unknown): Promise<never> => {
    await rm(folder, { recursive: true, force: true });
    await rm(work, { recursive: true, force: true });
    await step.isBack(backupWork);
    throw cause;
  };
  const dump = await takeDump({
    ...common,
    settings: run.settings,
    folder,
    target: spec.name,
    compress: spec.backup.compress,
    keepDays: spec.backup['keep-days'],
  }).catch(discard);
  const bytes = dump.manifest.files.reduce((total, file) => total + file.bytes, 0);
  step.note(`${dump.databases.length} databases and the roles in ${folder}`);

  const proof = await proveDump(dump, {
    ...common,
    method: spec.backup.prove,
    note: step.note,
    scratchFolder: join(work, 'scratch'),
    scratch: (options) => environment.scratch(wanted, options, step.signal),
  }).catch(discard);
  await rm(work, { recursive: true, force: true });
  await step.isBack(backupWork);
  recorder.record.backup = {
    location: folder,
    host: hostname(),
    databases: dump.databases.map(({ name, bytes: size, sourceBytes, durationMs }) => ({
      name,
      bytes: size,
      sourceBytes,
      durationMs,
    })),
    bytes,
    files: dump.manifest.files.length,
    manifestSha256: dump.manifestSha256,
    clients: used,
    started: dump.started,
    finished: dump.finished,
    keepDays: spec.backup['keep-days'],
    proof,
  };
  recorder.save();
  await run.journal.backup(recorder.record.backup);
  if (proof.verdict === 'failed') {
    throw new UpgradeError(
      'backup-not-proved',
      `The backup in ${folder} is not good: ${proof.differences[0] ?? 'it differs'}.`,
      {
        phase: 'prove',
        hint: `The report has every difference (${proof.differences.length}). Nothing was changed. The backup was kept for a look and must not be relied on.`,
        docs: 'backup.md#not-proved',
      },
    );
  }
  step.note(
    proof.verdict === 'proved'
      ? `proved: ${proof.tables} tables, ${proof.rows} rows, ${proof.objects} objects, ${proof.sequences} sequences and ${proof.largeObjects} large objects are equal after a restore into ${proof.restoredInto}`
      : `not proved by a restore (backup.prove: ${spec.backup.prove})`,
  );
}
