/** Files of another commit, read through the API: what a pull request says of its base is not asked. */
import { largestManifest } from '../spec/manifest.ts';
import { type Api, statusOf, whyNot } from './api.ts';

/** Why a file could not be read; `absent` where the commit has no such file. */
export class NotRead extends Error {
  readonly absent: boolean;
  constructor(message: string, absent: boolean) {
    super(message);
    this.absent = absent;
  }
}

/** Milliseconds for one file. */
const patience = 15_000;

/** Text of a file at a commit, at most 1 MiB. @throws NotRead */
export async function fileAt({ client, repository }: Api, path: string, ref: string): Promise<string> {
  const request = { signal: AbortSignal.timeout(patience), parseSuccessResponseBody: false };
  try {
    const { data } = await client.rest.repos.getContent({
      ...repository,
      path,
      ref,
      mediaType: { format: 'raw' },
      request,
    });
    return await limited(data as unknown as ReadableStream<Uint8Array>, path);
  } catch (cause) {
    if (cause instanceof NotRead) throw cause;
    if (statusOf(cause) === 404 && (await hasCommit({ client, repository }, ref)))
      throw new NotRead(`${path} does not exist at ${ref.slice(0, 12)}`, true);
    throw new NotRead(
      `${path} could not be read at ${ref.slice(0, 12)}: ${whyNot(cause, 'contents: read')}`,
      false,
    );
  }
}

/** GitHub says 404 too where the token may not look: a file is absent only where the rest of the commit is seen. */
async function hasCommit({ client, repository }: Api, ref: string): Promise<boolean> {
  try {
    await client.rest.repos.getContent({
      ...repository,
      path: '',
      ref,
      request: { signal: AbortSignal.timeout(patience) },
    });
    return true;
  } catch {
    return false;
  }
}

async function limited(body: ReadableStream<Uint8Array>, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    // Leaving the loop closes the connection.
    if (bytes > largestManifest) throw new NotRead(`${path} is larger than 1 MiB`, false);
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new NotRead(`${path} is not UTF-8`, false);
  }
}
