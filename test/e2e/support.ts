/** A target for end-to-end tests: a real server with the sample, a workspace with its spec, the built action. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSample } from '../../scripts/sample/load.ts';
import { parseVersion } from '../../src/postgres/version.ts';
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import {
  type ActionOptions,
  type Result,
  type RunningAction,
  runAction,
  startAction,
} from '../support/runner.ts';
import { password, type TestServer, type TestServerOptions, testServer } from '../support/servers.ts';

export interface Target extends AsyncDisposable {
  server: TestServer;
  workspace: string;
  output: string;
  /** Writes the spec anew; text is put below `environment`. */
  spec(options?: { version?: string; binaries?: string; more?: string }): Promise<void>;
  options(mode: string, more?: Partial<ActionOptions>): ActionOptions;
  run(mode: string, more?: Partial<ActionOptions>): Promise<Result>;
  start(mode: string, more?: Partial<ActionOptions>): RunningAction;
  record(): Promise<UpgradeRecord>;
  version(): Promise<string>;
}

/** A server of `version` with a small sample, and a spec that wants `wanted`. */
export async function target(
  version: string,
  wanted: string,
  options: TestServerOptions & { sample?: boolean } = {},
): Promise<Target> {
  const server = await testServer(version, options);
  if (options.sample !== false && options.start !== false)
    await loadSample(server, { scale: 0.01, progress: () => {} });
  return targetFor(server, wanted);
}

export async function targetFor(server: TestServer, wanted: string): Promise<Target> {
  const workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  // Not in the workspace: there a pull request's reports are refused.
  const output = `${workspace}-out`;
  const spec: Target['spec'] = async ({ version = wanted, binaries, more = '' } = {}) => {
    await writeFile(
      join(workspace, 'postgres-upgrade.yaml'),
      [
        'version: 1',
        'targets:',
        '  - name: orders',
        `    postgres: "${version}"`,
        '    connection: env:ORDERS_DATABASE_URL',
        `    environment: { kind: embedded, data: ${server.data}, port: ${server.port}${binaries ? `, binaries: "${binaries}"` : ''} }`,
        more,
        '',
      ].join('\n'),
    );
  };
  await spec();
  const optionsFor: Target['options'] = (mode, more = {}) => ({
    entry: 'dist/main.js',
    workspace,
    ...more,
    inputs: { mode, artifacts: 'none', 'output-directory': output, ...more.inputs },
    env: { ORDERS_DATABASE_URL: server.url, ...more.env },
    secrets: [server.url],
  });
  return {
    server,
    workspace,
    output,
    spec,
    options: optionsFor,
    run: (mode, more) => runAction(optionsFor(mode, more)),
    start: (mode, more) => startAction(optionsFor(mode, more)),
    record: async () =>
      recordSchema.parse(JSON.parse(await readFile(join(output, 'orders', 'report.json'), 'utf8'))),
    async version() {
      await using connection = await server.connect();
      const [row] = await connection.query<{ v: string }>(
        "SELECT split_part(current_setting('server_version'), ' ', 1) AS v",
      );
      return row?.v ?? '';
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(workspace, { recursive: true, force: true });
      await rm(output, { recursive: true, force: true });
    },
  };
}

export const major = (version: string): number => parseVersion(version).major;

/** Nothing that a reader can see may hold the password, plain or encoded. */
export function secretsIn(text: string): string[] {
  return [password, encodeURIComponent(password)].filter((secret) => text.includes(secret));
}
