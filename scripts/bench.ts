/**
 * How fast the action is, as ratios against a baseline that is measured in the same run, so that the machine's mood
 * does not count: its start against an empty Node script, a run with nothing to do against the same, and the proved
 * backup against a bare pg_dump of the same database; and the whole look at a large catalog (bench-catalog.ts).
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientPath, findClients } from '../src/postgres/clients.ts';
import { clientLogin } from '../src/postgres/passfile.ts';
import { run } from '../src/process/run.ts';
import { networkEnvironment } from '../test/support/network.ts';
import { testServer } from '../test/support/servers.ts';
import { benchCatalog } from './bench-catalog.ts';
import { loadSample } from './sample/load.ts';

const runs = 9;
const main = join(import.meta.dirname, '../dist/main.js');
const folder = await mkdtemp(join(tmpdir(), 'bench-'));

interface Timing {
  firstLineMs: number;
  totalMs: number;
}

function time(script: string, env: Record<string, string>): Promise<Timing> {
  const begun = performance.now();
  const child = spawn(process.execPath, [script], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...networkEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let firstLineMs = 0;
  child.stdout.once('data', () => {
    firstLineMs = performance.now() - begun;
  });
  child.stdout.resume();
  return new Promise((resolve) =>
    child.once('close', () => resolve({ firstLineMs, totalMs: performance.now() - begun })),
  );
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const ms = (value: number): string => `${Math.round(value)} ms`;

async function compare(
  what: string,
  ours: () => Promise<number>,
  baseline: () => Promise<number>,
  count: number,
): Promise<void> {
  const a: number[] = [];
  const b: number[] = [];
  for (let index = 0; index < count; index += 1) {
    a.push(await ours());
    b.push(await baseline());
  }
  const [own, base] = [median(a), median(b)];
  process.stdout.write(
    `${what}: ${ms(own)}, baseline ${ms(base)}, ratio ${(own / base).toFixed(2)} (median of ${count})\n`,
  );
}

try {
  const empty = join(folder, 'empty.mjs');
  await writeFile(empty, "process.stdout.write('x\\n');\n");
  const bare = async (): Promise<number> => (await time(empty, {})).firstLineMs;

  await using server = await testServer('15.18');
  const spec = (version: string): Promise<void> =>
    writeFile(
      join(folder, 'postgres-upgrade.yaml'),
      `version: 1\ntargets:\n  - name: bench\n    postgres: "${version}"\n    connection: env:URL\n    environment: { kind: embedded, data: ${server.data}, port: ${server.port} }\n`,
    );
  await spec('15.18');
  const env = { URL: server.url, INPUT_MODE: 'upgrade' };
  await compare(
    'start to first line, against an empty Node script',
    async () => (await time(main, env)).firstLineMs,
    bare,
    runs,
  );
  await compare(
    'a run with nothing to do (skipped), against an empty Node script',
    async () => (await time(main, env)).totalMs,
    bare,
    runs,
  );

  await using old = await testServer('15.17');
  await loadSample(old, { scale: 0.3, progress: () => {} });
  const clients = await findClients(15);
  await using login = await clientLogin(old.settings());
  let count = 0;
  const dump = async (): Promise<number> => {
    const begun = performance.now();
    for (const database of ['shop', 'metrics']) {
      count += 1;
      await run(
        [
          clientPath(clients, 'pg_dump'),
          '--format=directory',
          '--jobs=2',
          '--compress=1',
          '--file',
          join(folder, `dump-${count}`),
          ...login.args,
          database,
        ],
        { env: login.env },
      );
    }
    return performance.now() - begun;
  };
  const upgrade = async (): Promise<number> => {
    await writeFile(
      join(folder, 'postgres-upgrade.yaml'),
      `version: 1\ntargets:\n  - name: bench\n    postgres: "15.18"\n    connection: env:URL\n    environment: { kind: embedded, data: ${old.data}, port: ${old.port} }\n`,
    );
    const { totalMs } = await time(main, { URL: old.url, INPUT_MODE: 'upgrade' });
    await time(main, { URL: old.url, INPUT_MODE: 'rollback' });
    return totalMs;
  };
  await compare(
    'a whole upgrade with proved backup, against a bare pg_dump of the same databases',
    upgrade,
    dump,
    3,
  );
  await benchCatalog();
} finally {
  await rm(folder, { recursive: true, force: true });
}
