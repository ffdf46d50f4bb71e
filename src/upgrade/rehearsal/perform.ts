/** A rehearsal on one scratch server: everything that an upgrade does to the content, and what can be measured of it. */
import { join } from 'node:path';
import type { Dump } from '../../backup/dump.ts';
import { verifyFiles } from '../../backup/manifest.ts';
import { proveOn } from '../../backup/prove.ts';
import { UpgradeError } from '../../errors.ts';
import type { ClientPrograms } from '../../postgres/clients.ts';
import type { ScratchServer } from '../../postgres/scratch.ts';
import { compareVersions, formatVersion } from '../../postgres/version.ts';
import { formatBytes, formatDuration } from '../../report/format.ts';
import type { ProofRecord } from '../../report/record.ts';
import type { RehearsalRecord } from '../../report/record-rehearsal.ts';
import type { Snapshot } from '../../report/snapshot.ts';
import type { Run } from '../target.ts';
import { calm } from './calm.ts';
import { runOnCopy } from './copy.ts';
import { measureRestart } from './measure.ts';
import { adviceOnCopy, askCopy, askSmoke, checkCopy, compareCopy } from './on-copy.ts';
import { assertKnown, settingsOf } from './real-settings.ts';
import type { Note, Stages } from './stages.ts';

/** The stages behind the restore, in their order. */
const behindRestore = [
  ['advice', 'Carry out release advice on the copy, and update its extensions'],
  ['checks', 'Ask the checks of the copy'],
  ['compare', 'Compare the copy with the source'],
  ['health', 'Ask your own health SQL of the copy'],
  ['smoke', 'Run the smoke queries on the copy'],
  ['restart', "Restart the copy with the target's settings"],
] as const;

/** Starts the scratch server; what it is goes into the record. */
export async function startCopy(
  run: Run,
  stages: Stages,
  rehearsal: RehearsalRecord,
  like: Pick<Dump, 'superuser' | 'encoding' | 'preload'>,
  work: string,
): Promise<ScratchServer | null> {
  const { spec, wanted, environment, context } = run;
  const { scratch: kind, nearest, image } = spec.rehearsal;
  return await stages.run('scratch', `Start a scratch server of ${formatVersion(wanted)}`, async (note) => {
    const server = await environment.scratch(
      wanted,
      {
        superuser: like.superuser,
        encoding: like.encoding,
        preload: like.preload,
        folder: join(work, 'scratch'),
        choice: { kind, nearest: nearest === 'allow', image },
      },
      context.signal,
    );
    rehearsal.ranOn = formatVersion(server.version);
    rehearsal.exact = compareVersions(server.version, wanted) === 0;
    rehearsal.scratch = { kind: server.kind, where: server.where, isolation: [...server.isolation] };
    note(`${rehearsal.ranOn} (${server.kind}: ${server.where})`);
    if (!rehearsal.exact)
      note(`not the wanted ${formatVersion(wanted)}, but the nearest that can be had (nearest: allow)`);
    return server;
  });
}

/** What the restore is given. */
export interface Restoring {
  server: ScratchServer;
  dump: Dump;
  snapshot: Snapshot | null;
  clients: ClientPrograms;
  work: string;
}

/** Stages without anything to do are not in the record. */
function hasWork({ spec }: Run, id: (typeof behindRestore)[number][0]): boolean {
  if (id === 'health') return spec.health.length > 0;
  return id !== 'smoke' || spec.rehearsal.smoke.length > 0;
}

/** @returns the proof of the backup; null where it could not be had */
export async function performOn(
  run: Run,
  stages: Stages,
  rehearsal: RehearsalRecord,
  restoring: Restoring,
): Promise<ProofRecord | null> {
  const { server, dump, snapshot } = restoring;
  const proof = await stages.run('restore', 'Restore the backup and compare it', (note) =>
    restore(run, rehearsal, restoring, note),
  );
  if (proof?.verdict !== 'proved') {
    for (const [id, title] of behindRestore)
      if (hasWork(run, id)) stages.skip(id, title, 'the backup was not restored');
    return proof;
  }
  const copy = await runOnCopy(run, server);
  const [[, advice], [, checks], [, compare], [, health], [, smoke], [, restart]] = behindRestore;
  const begun = Date.now();
  await stages.run('advice', advice, (note) => adviceOnCopy(copy, dump, note));
  rehearsal.measures.adviceMs = Date.now() - begun;
  await stages.run('checks', checks, (note) => checkCopy(run, copy, note));
  await stages.run('compare', compare, (note) => compareCopy(run, copy, snapshot, dump.closed, note));
  if (hasWork(run, 'health')) await stages.run('health', health, (note) => askCopy(run, copy, note));
  if (hasWork(run, 'smoke')) await stages.run('smoke', smoke, (note) => askSmoke(run, copy, note));
  await stages.run('restart', restart, async (note) => {
    const settings = await settingsOf(run);
    await assertKnown(server, settings);
    await measureRestart(server, settings, rehearsal.measures, note);
    rehearsal.measures.restoredBytes = await server.bytes();
    rehearsal.measures.neededBytes = (rehearsal.measures.dumpBytes ?? 0) + rehearsal.measures.restoredBytes;
    note(
      `disk: ${formatBytes(rehearsal.measures.dumpBytes ?? 0)} for the backup, ${formatBytes(rehearsal.measures.restoredBytes)} for the copy`,
    );
  });
  return proof;
}

async function restore(
  run: Run,
  rehearsal: RehearsalRecord,
  { server, dump, snapshot, clients, work }: Restoring,
  note: Note,
): Promise<ProofRecord> {
  const { spec, context } = run;
  const { measures } = rehearsal;
  measures.dumpBytes = dump.manifest.files.reduce((total, { bytes }) => total + bytes, 0);
  const versions = new Map(
    (snapshot?.databases ?? []).map(({ name, extensions }) => [
      name,
      new Map((extensions ?? []).map((extension) => [extension.name, extension.version])),
    ]),
  );
  const { proof, databases } = await proveOn(server, dump, {
    method: 'restore',
    clients,
    jobs: spec.backup.jobs,
    scratch: () => Promise.reject(new Error('the scratch server is there already')),
    scratchFolder: join(work, 'scratch'),
    extensionVersions: (database) => versions.get(database) ?? new Map(),
    signal: context.signal,
    progress: (text) => context.log.progress(`${spec.name}: ${text}`),
    note,
  });
  rehearsal.databases = databases.map(({ name, restoreMs, indexBuildMs }) => ({
    name,
    restoreMs,
    indexBuildMs,
    bytes: dump.databases.find((each) => each.name === name)?.sourceBytes ?? null,
  }));
  if (proof.verdict !== 'proved') {
    if (run.recorder.record.backup) run.recorder.record.backup.proof = proof;
    throw notRestored(dump, proof.differences);
  }
  const sum = (of: (database: (typeof databases)[number]) => number): number =>
    databases.reduce((total, database) => total + of(database), 0);
  measures.restoreMs = sum(({ restoreMs }) => restoreMs);
  measures.indexBuildMs = sum(({ indexBuildMs }) => indexBuildMs);
  note(
    `${proof.tables} tables, ${proof.rows} rows, ${proof.objects} objects are equal after a restore in ${formatDuration(measures.restoreMs)}, ${formatDuration(measures.indexBuildMs)} of it for indexes`,
  );
  for (const { why } of databases.flatMap(({ leftOut }) => leftOut)) note(why);
  const calmed = await calm(server);
  rehearsal.scratch?.isolation.push(...calmed);
  return proof;
}

/**
 * Reads every file again, before anything goes by what it says.
 * @throws UpgradeError `rehearsal-restore`
 */
export async function assertIntact(dump: Dump, signal: AbortSignal): Promise<void> {
  const faults = await verifyFiles(dump.folder, dump.manifest, signal);
  if (faults.length > 0) throw notRestored(dump, faults);
}

function notRestored(dump: Dump, differences: readonly string[]): UpgradeError {
  return new UpgradeError(
    'rehearsal-restore',
    `The backup of ${dump.manifest.server} cannot be restored as it was: ${differences[0] ?? 'it differs'}`,
    {
      phase: 'rehearse',
      hint: [
        ...differences.slice(1, 10),
        'An upgrade refuses a backup that does not restore: mend what is named, then rehearse again.',
      ].join('\n'),
      docs: 'rehearsals.md#when-it-fails',
    },
  );
}
