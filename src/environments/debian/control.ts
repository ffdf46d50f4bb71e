/** Starting, stopping and restarting a cluster under what manages it, and looking whether it came up. */
import { messageOf, UpgradeError } from '../../errors.ts';
import { connect } from '../../postgres/connection.ts';
import type { ConnectionSettings } from '../../postgres/settings.ts';
import { compareVersions, formatVersion, fromVersionNum, type PgVersion } from '../../postgres/version.ts';
import type { Host } from '../../process/host.ts';
import { type JobEnd, runJob } from '../../process/job.ts';
import { lastLines } from '../../process/run.ts';
import { clusterScript, logScript, processScript } from './cluster-scripts.ts';
import type { DebianCluster } from './clusters.ts';
import type { Supervisor } from './look.ts';
import { serverPackage } from './packages.ts';

/** What is needed to start and stop a cluster; goes into the journal, so that any later job can do it. */
export interface ClusterRecipe {
  version: number;
  cluster: string;
  supervisor: Supervisor;
  data: string;
  log: string | null;
  /** The server's rank when memory runs out, where nobody else sets it; null for the one that is inherited. */
  oomScoreAdj: number | null;
}

/** The server's process; null where there is none. */
export interface ServerProcess {
  pid: number;
  /** Its program; ends with " (deleted)" where the file was replaced since. */
  program: string;
  oomScoreAdj: number;
}

/** What controlling takes. */
export interface Control {
  host: Host;
  /** Folder of the jobs. */
  jobs: string;
  settings: () => Promise<ConnectionSettings>;
  progress: (text: string) => void;
  /** Milliseconds for a start; the seed's threshold is 5 minutes. */
  startTimeout: number;
}

/** The process behind a data directory. */
export async function serverProcess(host: Host, data: string): Promise<ServerProcess | null> {
  const { stdout } = await host.script(processScript, [data]);
  const [pid, program = '', oom] = stdout.split('\n');
  return pid ? { pid: Number(pid), program, oomScoreAdj: Number(oom) } : null;
}

/** How the cluster is started again, as it runs now. */
export async function recipeOf(
  host: Host,
  { version, cluster, data, log }: DebianCluster,
  supervisor: Supervisor,
): Promise<ClusterRecipe> {
  const process = supervisor === 'systemd' ? null : await serverProcess(host, data);
  return { version, cluster, supervisor, data, log, oomScoreAdj: process?.oomScoreAdj ?? null };
}

/** Does it as a job: it ends also where the connection or this process does not live to see it. */
export function control(
  { host, jobs, progress, startTimeout }: Control,
  recipe: ClusterRecipe,
  action: 'start' | 'stop' | 'restart',
): Promise<JobEnd> {
  const { supervisor, version, cluster, oomScoreAdj } = recipe;
  // A server that a job of GitHub's runner starts must not be the kernel's first victim, as the job itself is.
  const rank = supervisor === 'systemd' ? '' : String(oomScoreAdj ?? 0);
  return runJob(
    host,
    {
      folder: jobs,
      name: action,
      script: clusterScript,
      args: [supervisor, action, String(version), cluster, rank],
      timeout: startTimeout + 600_000,
    },
    { progress },
  );
}

/** What answers: its version and data directory, by a real query. @throws UpgradeError where it cannot be reached */
export async function answering(settings: ConnectionSettings): Promise<{ version: PgVersion; data: string }> {
  await using connection = await connect(settings, {
    name: 'postgres-upgrade version',
    timeout: 5000,
    pinned: true,
  });
  const [row] = await connection.query<{ num: string; data: string | null }>(
    `SELECT pg_catalog.current_setting('server_version_num') AS num,
            (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'data_directory') AS data`,
  );
  return { version: fromVersionNum(Number(row?.num)), data: row?.data ?? '' };
}

/** Looks this often whether the server answers, in milliseconds. */
const lookEvery = 100;

/**
 * Waits until the server answers. Whether it starts at all is the process's to say: systemd's own exit code is 0 also for
 * a server that did not start.
 * @throws UpgradeError `server-start` with the end of the log
 */
export async function awaitServer(
  tools: Control,
  recipe: ClusterRecipe,
  end: JobEnd,
): Promise<{ version: PgVersion; data: string }> {
  const begun = performance.now();
  let told = begun;
  for (;;) {
    let why: string;
    try {
      return await answering(await tools.settings());
    } catch (cause) {
      why = messageOf(cause);
    }
    const waited = performance.now() - begun;
    const gone = (await serverProcess(tools.host, recipe.data)) === null;
    if (gone || waited > tools.startTimeout) {
      const log = await endOfLog(tools.host, recipe, 0, 4000);
      throw new UpgradeError(
        'server-start',
        gone
          ? `The cluster ${recipe.version}/${recipe.cluster} did not start.`
          : `The cluster ${recipe.version}/${recipe.cluster} does not answer after ${Math.round(waited / 1000)} seconds.`,
        {
          phase: 'upgrade',
          hint: lastLines(log?.text ?? '', 5) || lastLines(end.output, 5) || why,
        },
      );
    }
    if (performance.now() - told > 2000) {
      told = performance.now();
      tools.progress(`waiting for the server to answer, ${Math.round(waited / 1000)} s: ${why}`);
    }
    await new Promise((resolve) => setTimeout(resolve, lookEvery));
  }
}

/** Size of the cluster's log, and its text from a byte on; null where it does not log to a file of its own. */
export async function endOfLog(
  host: Host,
  { log, data }: Pick<ClusterRecipe, 'log' | 'data'>,
  from: number,
  bytes: number,
): Promise<{ source: string; text: string; size: number } | null> {
  if (log === null) return null;
  const { stdout } = await host.script(logScript, [log, String(from), String(bytes), data]);
  const end = stdout.indexOf('\n');
  if (end < 0) return null;
  return { source: log, size: Number(stdout.slice(0, end)), text: stdout.slice(end + 1) };
}

/**
 * Whether what serves is what should: version, data directory, and that its program is the installed one.
 * @throws UpgradeError `wrong-version`, `wrong-server`, `old-program`
 */
export async function assertServing(
  tools: Control,
  recipe: ClusterRecipe,
  found: { version: PgVersion; data: string },
  version: PgVersion,
): Promise<ServerProcess> {
  if (compareVersions(found.version, version) !== 0) {
    throw new UpgradeError(
      'wrong-version',
      `The server answers as ${formatVersion(found.version)}, not as ${formatVersion(version)}.`,
      {
        phase: 'upgrade',
        hint: 'Something else starts this cluster, or installs its packages: stop it and run again.',
      },
    );
  }
  if (found.data !== '' && found.data !== recipe.data) {
    throw new UpgradeError(
      'wrong-server',
      `The connection leads to the data directory ${found.data}, not to ${recipe.data}.`,
      { phase: 'upgrade', hint: 'Check host and port of the connection against the cluster.' },
    );
  }
  const process = await serverProcess(tools.host, recipe.data);
  if (process === null || process.program !== `/usr/lib/postgresql/${recipe.version}/bin/postgres`) {
    throw new UpgradeError(
      'old-program',
      `The server's program is ${process?.program ?? 'not known'}, not that of the package ${serverPackage(recipe.version)}.`,
      {
        phase: 'upgrade',
        hint: 'The package was replaced while the server was starting, or it is started from somewhere else. Look at its unit or its start command.',
      },
    );
  }
  return process;
}
