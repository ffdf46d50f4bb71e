/** What a machine needs to reach its registry: a proxy, an authority of its own, another address. */

const names = [
  'NODE_EXTRA_CA_CERTS',
  'npm_config_registry',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'NODE_USE_ENV_PROXY',
];

/** The caller's variables of that kind: every Node process that may download needs them. */
export function networkEnvironment(): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value ? [[name, value]] : [];
    }),
  );
}
