/**
 * Uploads reports and, where it is asked for, the encrypted dump. What the service says it has is compared with
 * what was sent: a file that vanished was once uploaded as an empty archive that counted as success.
 */
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { packBackup } from '../backup/encrypt.ts';
import { sha256Of } from '../backup/manifest.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../process/log.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { planFileOf } from './plan-file.ts';

/** One artifact as the record tells of it. */
export type ArtifactRecord = UpgradeRecord['artifacts'][number];

/** `name` becomes the artifact's name: it is unique for target, mode and attempt of a run. */
export function artifactName(record: UpgradeRecord, suffix: string): string {
  const attempt = record.run && record.run.attempt > 1 ? `-${record.run.attempt}` : '';
  return `postgres-upgrade-${record.target.name}-${record.mode}${attempt}.${suffix}`;
}

/**
 * Uploads one file as it is, not zipped, so that the service's digest is the file's own. Never throws.
 * @param keptAt where the reader finds it when it could not be uploaded
 */
export async function uploadFile(
  file: string,
  retentionDays: number | null,
  keptAt: string,
  log: Log,
): Promise<ArtifactRecord> {
  const name = basename(file);
  let kept: ArtifactRecord = { name, id: null, bytes: 0, sha256: '', state: 'failed', why: null };
  try {
    kept = { ...kept, bytes: (await stat(file)).size, sha256: await sha256Of(file) };
    if (kept.bytes === 0) throw new Error('the file is empty');
    const { DefaultArtifactClient } = await import('@actions/artifact');
    const answer = await new DefaultArtifactClient().uploadArtifact(name, [file], dirname(file), {
      skipArchive: true,
      ...(retentionDays ? { retentionDays } : {}),
    });
    const digest = (answer.digest ?? '').replace(/^sha256:/, '');
    if (answer.size !== kept.bytes || digest !== kept.sha256) {
      throw new Error(
        `the service holds ${answer.size} bytes with sha256 ${digest || 'unknown'}, sent were ${kept.bytes} with ${kept.sha256}`,
      );
    }
    return { ...kept, id: answer.id ?? null, state: 'uploaded' };
  } catch (cause) {
    const ghes = cause instanceof Error && cause.name === 'GHESNotSupportedError';
    const why = ghes
      ? 'this GitHub server has no artifact service that the client can use; the file is kept on the runner'
      : messageOf(cause);
    log.annotate({
      level: ghes ? 'notice' : 'warning',
      title: `Artifact ${name}`,
      message: `Not uploaded: ${why}. It is kept at ${keptAt}.`,
    });
    return { ...kept, state: ghes ? 'kept' : 'failed', why };
  }
}

/** Uploads the record, the page, and the plan where there is one to approve. */
export async function uploadReports(
  record: UpgradeRecord,
  folder: string,
  log: Log,
): Promise<ArtifactRecord[]> {
  const staging = join(folder, '.upload');
  // Whatever stands there, a link too: it is not followed.
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { mode: 0o700 });
  const uploaded: ArtifactRecord[] = [];
  for (const [source, suffix] of [
    ['report.html', 'report.html'],
    ['report.json', 'report.json'],
    ...(planFileOf(record) ? ([['plan.json', 'plan.json']] as const) : []),
  ] as const) {
    const file = join(staging, artifactName(record, suffix));
    await copyFile(join(folder, source), file);
    uploaded.push(await uploadFile(file, null, join(folder, source), log));
  }
  await rm(staging, { recursive: true, force: true });
  return uploaded;
}

/** Packs, encrypts and uploads the dump; the packed file goes again, the backup itself stays where it is. */
export async function uploadDump(
  record: UpgradeRecord,
  folder: string,
  recipients: readonly string[],
  log: Log,
  signal: AbortSignal,
): Promise<ArtifactRecord[]> {
  const { backup } = record;
  if (!backup || backup.proof.verdict === 'failed') return [];
  const file = join(folder, artifactName(record, recipients.length > 0 ? 'dump.tar.age' : 'dump.tar'));
  try {
    log.info(
      recipients.length > 0
        ? `Packing the dump, encrypted to ${recipients.length === 1 ? '1 age recipient' : `${recipients.length} age recipients`}`
        : 'Packing the dump in clear, as the spec says',
    );
    await rm(file, { force: true });
    await packBackup(backup.location, file, recipients, signal);
    return [await uploadFile(file, Math.min(backup.keepDays, 90), backup.location, log)];
  } catch (cause) {
    log.annotate({ level: 'warning', title: 'Dump artifact', message: messageOf(cause) });
    return [{ name: basename(file), id: null, bytes: 0, sha256: '', state: 'failed', why: messageOf(cause) }];
  } finally {
    await rm(file, { force: true });
  }
}
