/** Downloads an artifact of any run: from where GitHub redirects to, without the token, compared with its digest. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, UpgradeError } from '../errors.ts';
import { type Api, whyNot } from './api.ts';
import type { StoredArtifact } from './artifact-store.ts';

/** Milliseconds until GitHub must have told the address; the download itself has as long as the run. */
const patience = 15_000;

/**
 * Downloads an artifact that is one file, streamed, and compares it with its digest.
 * @param limitBytes more than this is not read
 * @returns the file's path
 * @throws UpgradeError `artifact-download`
 */
export async function download(
  api: Api,
  artifact: StoredArtifact,
  folder: string,
  limitBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const file = join(folder, artifact.name);
  try {
    await mkdir(folder, { recursive: true });
    const sha256 = await stream(await addressOf(api, artifact.id, signal), file, limitBytes, signal);
    if (artifact.sha256 !== null && artifact.sha256 !== sha256)
      throw new Error(`GitHub says its sha256 is ${artifact.sha256}, what came has ${sha256}`);
    return file;
  } catch (cause) {
    await rm(file, { force: true });
    const why =
      cause instanceof Error && 'status' in cause ? whyNot(cause, 'actions: read') : messageOf(cause);
    throw new UpgradeError(
      'artifact-download',
      `The artifact ${artifact.name} could not be downloaded: ${why}.`,
      {
        hint: 'The job needs permissions: actions: read, and the artifact must not have expired. Run again, or take another backup (from: fresh).',
        docs: 'artifacts.md#what-is-read-again',
        cause,
      },
    );
  }
}

/** Where the bytes are: an address with a signature of its own, which must not get the token, and no log. */
async function addressOf({ client, repository }: Api, id: number, signal: AbortSignal): Promise<string> {
  const { headers, status } = await client.rest.actions.downloadArtifact({
    ...repository,
    artifact_id: id,
    archive_format: 'zip',
    request: { redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) },
  });
  const location = headers.location;
  if (!location || !URL.canParse(location))
    throw new Error(`GitHub answered HTTP ${status} without an address`);
  return location;
}

async function stream(
  address: string,
  file: string,
  limitBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(address, { signal, headers: { 'user-agent': 'postgres-upgrade-action' } });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`the store answered HTTP ${response.status}`);
  }
  if (/^application\/(x-)?zip/.test(response.headers.get('content-type') ?? '')) {
    await response.body.cancel();
    throw new Error('it is an archive, and this action uploads single files');
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const watch = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > limitBytes ? new Error(`it has more than ${limitBytes} bytes`) : null, chunk);
    },
  });
  // Node's own type of a web stream differs from fetch's.
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  await pipeline(body, watch, createWriteStream(file, { mode: 0o600 }), { signal });
  const length = Number(response.headers.get('content-length') ?? bytes);
  if (length !== bytes) throw new Error(`${bytes} of ${length} bytes came`);
  return hash.digest('hex');
}
