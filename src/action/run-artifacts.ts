/** Artifacts of this very run, through the service that its jobs upload to: no permission is needed for them. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds: the client repeats by itself for much longer. */
const patience = 30_000;

/**
 * Texts of this run's artifacts whose names match, newest first; those that are larger are left out.
 * @throws what the client throws, and where it takes too long
 */
export async function textsOfRun(name: RegExp, limitBytes: number): Promise<string[]> {
  if (!process.env.ACTIONS_RUNTIME_TOKEN || !process.env.ACTIONS_RESULTS_URL) return [];
  const { DefaultArtifactClient } = await import('@actions/artifact');
  const client = new DefaultArtifactClient();
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'artifacts-'));
  try {
    const { artifacts } = await inTime(client.listArtifacts());
    const wanted = artifacts
      .filter((each) => name.test(each.name) && each.size <= limitBytes)
      .sort((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
    const texts: string[] = [];
    for (const { id, digest } of wanted) {
      const path = join(folder, String(id));
      const { digestMismatch } = await inTime(
        client.downloadArtifact(id, { path, ...(digest ? { expectedHash: digest } : {}) }),
      );
      const [file] = await readdir(path);
      if (digestMismatch || file === undefined || (await stat(join(path, file))).size > limitBytes) continue;
      texts.push(await readFile(join(path, file), 'utf8'));
    }
    return texts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the artifact service did not answer in time')), patience);
  });
  // Whatever it still does is nobody's business any more.
  work.catch(() => {});
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
