/** The step that takes a backup and proves it; nothing may be changed before it is done. */
import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Dump, takeDump } from '../backup/dump.ts';
import { proveDump } from '../backup/prove.ts';
import type { Step, StepRun } from '../environments/environment.ts';
import { UpgradeError } from '../errors.ts';
import { type ClientPrograms, findClients } from '../postgres/clients.ts';
import { formatVersion } from '../postgres/version.ts';
import type { BackupRecord, ProofRecord } from '../report/record.ts';
import { type BackupWork, backupWork } from './backup-work.ts';
import { snapshotOf } from './snapshots.ts';
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
      await takeBackup(run, step, proverOf(run, step));
      return { state: 'done' };
    },
  };
}

/** What proves a dump that was just taken: the scratch server lives in `work`, which is removed afterwards. */
export type Prover = (dump: Dump, clients: ClientPrograms, work: string) => Promise<ProofRecord>;

/** Proves by the way that the spec names, on a scratch server that the environment supplies. */
function proverOf({ spec, environment, wanted }: Run, step: StepRun): Prover {
  return (dump, clients, work) =>
    proveDump(dump, {
      clients,
      jobs: spec.backup.jobs,
      signal: step.signal,
      progress: step.progress,
      method: spec.backup.prove,
      note: step.note,
      scratchFolder: join(work, 'scratch'),
      scratch: (options) => environment.scratch(wanted, options, step.signal),
    });
}

/** The client programs for a dump and its restore into the wanted version; the step's output names them. */
export async function clientsFor({ spec, wanted }: Run, step: StepRun): Promise<ClientPrograms> {
  const clients = await findClients(wanted.major, spec.backup.clients ? [spec.backup.clients] : []);
  step.note(`client programs: ${nameOf(clients)}`);
  if (clients.version.major !== wanted.major) {
    step.note(
      `no client programs of PostgreSQL ${wanted.major} are installed: those of ${clients.version.major} are used, and the proof decides`,
    );
  }
  return clients;
}

/** The pg_dump that is used: path and version. */
export function nameOf(clients: ClientPrograms): string {
  return `${join(clients.bin, 'pg_dump')} ${formatVersion(clients.version)}`;
}

/**
 * Works in a folder that is removed afterwards, also by a later run where this one is killed.
 * @param dump folder of a dump that is being taken: it goes with the work unless it was finished
 */
export async function withWork<T>(
  run: Run,
  step: StepRun,
  dump: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(backupFolder(run), `work-${stampOf(run)}`);
  await step.switchOff({
    id: backupWork,
    what: 'a scratch server, a password file and an unfinished dump are there',
    detail: { work: folder, dump } satisfies BackupWork,
  });
  try {
    // May be passed through, not listed: the scratch server works below it as another user.
    await mkdir(backupFolder(run), { recursive: true, mode: 0o711 }).catch(() => {});
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await step.isBack(backupWork);
  }
}

/** Now, as it can stand in a file's name. */
export function stampOf({ context }: Run): string {
  return context.now().toISOString().replaceAll(/[:.]/g, '-');
}

/**
 * Takes a backup and proves it; both are in the record and in the journal when it returns.
 * @throws UpgradeError `backup-not-proved` with what differs; the backup stays for a look
 */
export async function takeBackup(run: Run, step: StepRun, prove: Prover): Promise<void> {
  const { spec, recorder } = run;
  const clients = await clientsFor(run, step);
  const folder = join(backupFolder(run), `${spec.name}-${stampOf(run)}`);
  const { dump, proof } = await withWork(run, step, folder, async (work) => {
    try {
      const taken = await takeDump({
        clients,
        jobs: spec.backup.jobs,
        signal: step.signal,
        progress: step.progress,
        work,
        settings: run.settings,
        folder,
        target: spec.name,
        compress: spec.backup.compress,
        keepDays: spec.backup['keep-days'],
        snapshot: await snapshotOf(run, step.signal),
      });
      step.note(`${taken.databases.length} databases and the roles in ${folder}`);
      return { dump: taken, proof: await prove(taken, clients, work) };
    } catch (cause) {
      // A dump that was not finished, or that nobody could look at, is no backup: it must not lie about as one.
      await rm(folder, { recursive: true, force: true });
      throw cause;
    }
  });
  recorder.record.backup = recordOf(dump, proof, nameOf(clients));
  recorder.save();
  await run.journal.backup(recorder.record.backup);
  if (proof.verdict === 'failed') {
    throw new UpgradeError(
      'backup-not-proved',
      `The backup in ${folder} is not good: ${(proof.differences[0] ?? 'it differs').replace(/\.$/, '')}.`,
      { phase: 'prove', hint: notProvedHint(proof), docs: 'backup.md#not-proved' },
    );
  }
  step.note(
    proof.verdict === 'proved'
      ? `proved: ${proof.tables} tables, ${proof.rows} rows, ${proof.objects} objects, ${proof.sequences} sequences and ${proof.largeObjects} large objects are equal after a restore into ${proof.restoredInto}`
      : `not proved by a restore (backup.prove: ${spec.backup.prove})`,
  );
}

/** What to do about a proof that failed. Pure. */
export function notProvedHint({ differences, restoredInto }: ProofRecord): string {
  const left = `The report has every difference (${differences.length}). Nothing was changed. The backup was kept for a look and must not be relied on.`;
  // The words of the server itself (commands/extension.c): the second ones are those of PostgreSQL 13 and 14.
  const extension = differences
    .map((line) =>
      /ERROR: {2}(?:extension "(.+)" is not available|could not open extension control file ".*\/([^/]+)\.control")/.exec(
        line,
      ),
    )
    .find((match) => match !== null);
  if (!extension) return left;
  return `The server that it was restored into (${restoredInto ?? 'a scratch server'}) has no files of the extension ${extension[1] ?? extension[2]}, which says nothing about the backup: install its package there, or upgrade with backup.prove: checksum. ${left}`;
}

/** A backup as the record tells of it. */
export function recordOf(dump: Dump, proof: ProofRecord, clients: string): BackupRecord {
  return {
    location: dump.folder,
    host: hostname(),
    databases: dump.databases.map(({ name, bytes, sourceBytes, durationMs }) => ({
      name,
      bytes,
      sourceBytes,
      durationMs,
    })),
    bytes: dump.manifest.files.reduce((total, file) => total + file.bytes, 0),
    files: dump.manifest.files.length,
    manifestSha256: dump.manifestSha256,
    clients,
    started: dump.started,
    finished: dump.finished,
    keepDays: dump.manifest.keepDays,
    proof,
  };
}
