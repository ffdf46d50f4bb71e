/**
 * The environment that programs are given: a short list, not ours.
 *
 * The runner's variables carry tokens (ACTIONS_RUNTIME_TOKEN and its kin), and RUNNER_TRACKING_ID makes
 * the runner kill every process that inherited it when the job ends: a PostgreSQL server that we
 * start must not carry it.
 */
const kept = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TZ',
  'SSH_AUTH_SOCK',
  'KUBECONFIG',
  'XDG_CACHE_HOME',
];

/** The short list of our variables, and `extra` over it. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C' };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...extra };
}
