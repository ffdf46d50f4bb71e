/** Artifacts of this repository's runs, through the REST API: found by name, trusted by where they come from. */
import { type Api, statusOf } from './api.ts';

/** An artifact as the API lists it. */
export interface StoredArtifact {
  id: number;
  name: string;
  bytes: number;
  created: string;
  expired: boolean;
  /** Hexadecimal; null where GitHub does not tell. */
  sha256: string | null;
  run: { id: number; repository: number; headRepository: number; branch: string } | null;
}

/** The repository, as far as trust goes by it. */
export interface Home {
  id: number;
  defaultBranch: string;
}

/** Milliseconds for one call. */
const patience = 15_000;
/** Attempts of a run whose artifacts are looked for. */
const mostAttempts = 10;
/** Pages of the newest artifacts. */
const mostPages = 3;

/** @throws what the API throws */
export async function homeOf({ client, repository }: Api): Promise<Home> {
  const { data } = await client.rest.repos.get({
    ...repository,
    request: { signal: AbortSignal.timeout(patience) },
  });
  return { id: data.id, defaultBranch: data.default_branch };
}

/** Whether an artifact counts, asked once for each run. */
export type IsTrusted = (artifact: StoredArtifact) => Promise<boolean>;

/** Events of which only somebody with write access decides what is checked out. */
const trustedEvents: readonly string[] = ['push', 'schedule', 'workflow_dispatch'];

/**
 * Whether a run of the default branch of this very repository uploaded it: a pull request can upload anything under
 * any name. The name of the branch alone says little, a tag may be called so too: the run's commit must be on it.
 * The answer throws what the API throws.
 */
export function trustIn(api: Api, { id, defaultBranch }: Home): IsTrusted {
  const known = new Map<number, Promise<boolean>>();
  return async ({ run }) => {
    if (run === null || run.repository !== id || run.headRepository !== id || run.branch !== defaultBranch)
      return false;
    const asked = known.get(run.id) ?? isOfBranch(api, run.id, defaultBranch);
    known.set(run.id, asked);
    asked.catch(() => known.delete(run.id));
    return await asked;
  };
}

async function isOfBranch({ client, repository }: Api, run_id: number, branch: string): Promise<boolean> {
  const request = { signal: AbortSignal.timeout(patience) };
  const { data: run } = await client.rest.actions.getWorkflowRun({ ...repository, run_id, request });
  if (!trustedEvents.includes(run.event)) return false;
  try {
    const basehead = `${run.head_sha}...${branch}`;
    const { data } = await client.rest.repos.compareCommitsWithBasehead({
      ...repository,
      basehead,
      per_page: 1,
      request,
    });
    return data.status === 'ahead' || data.status === 'identical';
  } catch (cause) {
    // A commit that is gone, or has nothing in common with the branch.
    if (statusOf(cause) === 404) return false;
    throw cause;
  }
}

/** The newest artifacts of the repository, whatever their names, and whether there are no others. */
export interface Recent {
  artifacts: StoredArtifact[];
  complete: boolean;
}

/** Three pages of a hundred: for a fleet they are cheaper than a question for every name. @throws what the API throws */
export async function recentArtifacts(api: Api): Promise<Recent> {
  const artifacts: StoredArtifact[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const { total, found } = await listed(api, { page });
    artifacts.push(...found);
    if (artifacts.length >= total || found.length === 0) return { artifacts, complete: true };
  }
  return { artifacts, complete: false };
}

/**
 * Artifacts called `BASE.SUFFIX`, from the second attempt of a run on `BASE-2.SUFFIX` and so on; newest first, those of
 * the recent ones before the others are asked for by name.
 * @throws what the API throws
 */
export async function* artifactsNamed(
  api: Api,
  recent: Recent,
  bases: readonly string[],
  suffixes: readonly string[],
): AsyncGenerator<StoredArtifact> {
  const seen = new Set<number>();
  const isOne = ({ id, name }: StoredArtifact): boolean =>
    !seen.has(id) &&
    bases.some((base) => {
      const [, suffix = ''] =
        (name.startsWith(base) && /^(?:-\d{1,4})?\.(.+)$/.exec(name.slice(base.length))) || [];
      return suffixes.includes(suffix);
    });
  for (const artifact of newestFirst(recent.artifacts.filter(isOne))) {
    seen.add(artifact.id);
    yield artifact;
  }
  if (recent.complete) return;
  const older: StoredArtifact[] = [];
  for (const base of bases) for (const suffix of suffixes) older.push(...(await byName(api, base, suffix)));
  yield* newestFirst(older.filter(isOne));
}

function newestFirst(artifacts: readonly StoredArtifact[]): StoredArtifact[] {
  return artifacts.toSorted((a, b) => b.created.localeCompare(a.created));
}

/** Attempts follow each other; one that uploaded nothing may lie in between. */
async function byName(api: Api, base: string, suffix: string): Promise<StoredArtifact[]> {
  const { found } = await listed(api, { name: `${base}.${suffix}` });
  for (let attempt = 2, empty = 0; attempt <= mostAttempts && empty < 2; attempt += 1) {
    const more = await listed(api, { name: `${base}-${attempt}.${suffix}` });
    empty = more.found.length === 0 ? empty + 1 : 0;
    found.push(...more.found);
  }
  return found;
}

/** One page of a hundred: GitHub lists the newest first. */
async function listed(
  { client, repository }: Api,
  which: { name: string } | { page: number },
): Promise<{ total: number; found: StoredArtifact[] }> {
  const { data } = await client.rest.actions.listArtifactsForRepo({
    ...repository,
    ...which,
    per_page: 100,
    request: { signal: AbortSignal.timeout(patience) },
  });
  const found = data.artifacts.map((each) => ({
    id: each.id,
    name: each.name,
    bytes: each.size_in_bytes,
    created: each.created_at ?? '',
    expired: each.expired,
    sha256: /^sha256:([0-9a-f]{64})$/.exec(each.digest ?? '')?.[1] ?? null,
    run: each.workflow_run
      ? {
          id: each.workflow_run.id ?? 0,
          repository: each.workflow_run.repository_id ?? 0,
          headRepository: each.workflow_run.head_repository_id ?? 0,
          branch: each.workflow_run.head_branch ?? '',
        }
      : null,
  }));
  return { total: data.total_count, found };
}
