/** Whole runs on a real server, and a real application beside it whose health a test decides. */
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/postgres/server.ts';
import { run } from '../../src/process/run.ts';
import { createSecrets } from '../../src/process/secrets.ts';
import { type Mode, recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { load } from '../spec/specs.ts';
import type { TestServer } from '../support/servers.ts';

export interface Ran {
  record: UpgradeRecord;
  /** Every line, warnings as `warning TITLE: MESSAGE`. */
  lines: string[];
}

export interface RunOptions {
  mode?: Mode;
  /** Lines of the target's spec, without indentation. */
  more?: string;
  /** Told of every line while the run goes on. */
  onLine?: (line: string, stop: AbortController) => void;
}

/** One run of the action on a server, without the action around it; the record as everybody else would read it. */
export async function carryOut(
  server: TestServer,
  { mode = 'upgrade', more = '', onLine }: RunOptions = {},
): Promise<Ran> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-watch-'));
  const [target] = load(
    [
      'version: 1',
      'targets:',
      '  - name: orders',
      '    postgres: "15.18"',
      '    connection: env:URL',
      `    environment: { kind: embedded, data: ${server.data}, port: ${server.port} }`,
      '    backup: { prove: checksum }',
      more.replaceAll(/^(?=.)/gm, '    '),
      '',
    ].join('\n'),
  );
  if (!target) throw new Error('no target');
  const lines: string[] = [];
  const stop = new AbortController();
  const tell = (line: string): void => {
    lines.push(line);
    onLine?.(line, stop);
  };
  const record = recordSchema.parse(
    await runTarget(target, {
      mode,
      log: {
        info: tell,
        progress: tell,
        annotate: ({ level, title, message }) => tell(`${level} ${title}: ${message}`),
        startGroup: tell,
        endGroup: () => {},
      },
      secrets: createSecrets(),
      signal: stop.signal,
      variables: { URL: server.url },
      now: () => new Date(),
      identity: null,
      version: '0.0.0',
      outputDirectory: folder.path,
      files: new Map(),
      planDigest: '',
      approvedPlan: null,
      rehearseFrom: '',
      overrides: new Set(),
      changes: new Map(),
      onPullRequest: false,
      pullRequestChanges: 'version-only',
      outside: null,
    }),
  );
  return { record, lines };
}

/** Answers /health with 200 as long as there is no file `sick`; ends by itself so many ms after its start. */
const serveJs = `
  import { existsSync, writeFileSync } from 'node:fs';
  import { createServer } from 'node:http';
  const [port, folder] = process.argv.slice(2);
  createServer((request, response) => response.writeHead(existsSync(folder + '/sick') ? 503 : 200).end())
    .listen(Number(port), '127.0.0.1', () => writeFileSync(folder + '/pid', String(process.pid)));
  if (existsSync(folder + '/dies')) setTimeout(() => process.exit(1), 1000);`;
const startJs = `
  import { appendFileSync } from 'node:fs';
  import { spawn } from 'node:child_process';
  const [port, folder] = process.argv.slice(2);
  appendFileSync(folder + '/starts', 'x');
  spawn(process.execPath, [folder + '/serve.mjs', port, folder], { detached: true, stdio: 'ignore' }).unref();`;
const stopJs = `
  import { readFileSync } from 'node:fs';
  try { process.kill(Number(readFileSync(process.argv[2] + '/pid', 'utf8')), 'SIGTERM'); } catch {}`;

export interface Application extends AsyncDisposable {
  folder: string;
  /** Its lines of the spec: stopped and started, or only watched. */
  stopped: string;
  watched: string;
  health: string;
  /** Whether it answers 200. */
  isWell(): Promise<boolean>;
  /** Writes the file by which it is sick, or dies a second after every start. */
  make(state: 'sick' | 'dies'): Promise<void>;
  starts(): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function application(name = 'shop'): Promise<Application> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'pgu-shop-'));
  const port = await freePort();
  const path = folder.path;
  await writeFile(join(path, 'serve.mjs'), serveJs);
  await writeFile(join(path, 'start.mjs'), startJs);
  await writeFile(join(path, 'stop.mjs'), stopJs);
  const start = [process.execPath, join(path, 'start.mjs'), String(port), path] as const;
  const stop = [process.execPath, join(path, 'stop.mjs'), path] as const;
  const health = `http://localhost:${port}/health`;
  const isWell = (): Promise<boolean> =>
    fetch(health).then(
      ({ ok }) => ok,
      () => false,
    );
  return {
    folder: path,
    stopped: `  - { name: ${name}, stop: ${JSON.stringify(stop)}, start: ${JSON.stringify(start)}, health: "${health}", start-timeout: 20 }`,
    watched: `  - { name: ${name}, health: "${health}", start-timeout: 3 }`,
    health,
    isWell,
    make: (state) => writeFile(join(path, state), ''),
    starts: async () => (await readFile(join(path, 'starts'), 'utf8').catch(() => '')).length,
    start: async () => void (await run(start, { leavesChildren: true, shielded: true })),
    stop: async () => void (await run(stop)),
    async [Symbol.asyncDispose]() {
      await run(stop);
      await folder.remove();
    },
  };
}
