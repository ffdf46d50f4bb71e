/** Asking Docker: whether it answers, which images there are, how a container does. */
import { messageOf, UpgradeError } from '../errors.ts';
import { lastLines, run } from '../process/run.ts';
import type { PgVersion } from './version.ts';

/** What `docker` left. */
export interface DockerAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

/** Variables by which docker (or podman under that name) finds its daemon; none of them holds a secret. */
const guides = [
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'CONTAINER_HOST',
  'XDG_RUNTIME_DIR',
];

function variables(): Record<string, string> {
  return Object.fromEntries(
    guides.flatMap((name) => {
      const value = process.env[name];
      return value ? [[name, value]] : [];
    }),
  );
}

/** @throws UpgradeError `program-missing`, `program-timeout`; Cancelled */
export function docker(
  args: readonly string[],
  options: { signal?: AbortSignal | undefined; timeout?: number; shielded?: boolean } = {},
): Promise<DockerAnswer> {
  return run(['docker', ...args], { timeout: 120_000, env: variables(), ...options });
}

/** Why Docker cannot be used here; null where it can. */
export async function dockerFault(): Promise<string | null> {
  try {
    const { code, stderr } = await docker(['version', '--format', '{{.Server.Version}}'], {
      timeout: 20_000,
    });
    return code === 0 ? null : lastLines(stderr, 1) || `docker version ended with exit code ${code}`;
  } catch (cause) {
    if (!(cause instanceof UpgradeError)) throw cause;
    return cause.code === 'program-missing' ? 'docker is not installed' : messageOf(cause);
  }
}

/** Why an image cannot be had; null where it is here now. What is here already is not asked for again. */
export async function pullImage(image: string, signal: AbortSignal): Promise<string | null> {
  const here = await docker(['image', 'inspect', '--format', '{{.Id}}', image], { signal });
  if (here.code === 0) return null;
  const pulled = await docker(['pull', '--quiet', image], { signal, timeout: 1_800_000 });
  return pulled.code === 0 ? null : lastLines(pulled.stderr, 1) || `docker pull ended with ${pulled.code}`;
}

/** Versions of the images of this name that are on this machine, as their tags say. */
export async function localTags(image: string, signal: AbortSignal): Promise<PgVersion[]> {
  const { stdout } = await docker(['image', 'ls', '--format', '{{.Tag}}', image], { signal });
  return stdout.split('\n').flatMap((tag) => {
    const match = /^(\d+)\.(\d+)$/.exec(tag.trim());
    return match ? [{ major: Number(match[1]), minor: Number(match[2]) }] : [];
  });
}

/**
 * The version that an image says it has: PG_VERSION among its variables, as in the official image ("15.18-1.pgdg13+1");
 * null where it does not say.
 */
export async function imageVersion(image: string, signal: AbortSignal): Promise<PgVersion | null> {
  const { code, stdout } = await docker(
    ['image', 'inspect', '--format', '{{range .Config.Env}}{{println .}}{{end}}', image],
    { signal },
  );
  const match = code === 0 ? /^PG_VERSION=(\d+)\.(\d+)(?![.\d])/m.exec(stdout) : null;
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : null;
}

/** The last lines that a container printed, both streams. */
export async function containerLog(name: string, lines: number): Promise<string> {
  const { stdout, stderr } = await docker(['logs', '--tail', String(lines), name]);
  return lastLines(`${stdout}\n${stderr}`, lines);
}

/** All that a container printed to standard error, where a server logs. */
export async function containerErrors(name: string): Promise<string> {
  return (await docker(['logs', name])).stderr;
}

/** Whether a container runs; false also where there is none. */
export async function containerRuns(name: string): Promise<boolean> {
  const { code, stdout } = await docker(['inspect', '--format', '{{.State.Running}}', name]);
  return code === 0 && stdout.trim() === 'true';
}

/** What every container of a scratch server is called. */
export const containerName = /^postgres-upgrade-scratch-[0-9a-f]{16}$/;

/**
 * Ends a container and removes it with its data; one that is not there is fine. It is given a moment to stop, so that
 * its socket goes: on this machine that file may belong to another user. Not longer: a cancelled job has seconds.
 * @throws UpgradeError `scratch-container`
 */
export async function removeContainer(name: string): Promise<void> {
  await docker(['stop', '-t', '3', name], { shielded: true }).catch(() => {});
  const { code, stderr } = await docker(['rm', '--force', '--volumes', name], { shielded: true });
  if (code === 0 || /no such container/i.test(stderr)) return;
  throw new UpgradeError(
    'scratch-container',
    `The container ${name} could not be removed: ${lastLines(stderr, 1)}`,
    {
      phase: 'prove',
      hint: `It holds a copy of the databases. Remove it: docker rm --force --volumes ${name}`,
    },
  );
}
