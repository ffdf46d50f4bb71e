/** The same bundle outside GitHub: plain text, files in the output directory, no workflow commands. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { networkEnvironment } from '../support/network.ts';
import { testServer } from '../support/servers.ts';
import { secretsIn, type Target, targetFor } from './support.ts';

const main = join(import.meta.dirname, '../../dist/main.js');
let orders: Target;

beforeAll(async () => {
  orders = await targetFor(await testServer('15.17'), '15.18');
});

afterAll(async () => {
  await orders?.[Symbol.asyncDispose]();
});

interface Run {
  code: number | null;
  output: string;
}

function start(env: Record<string, string>): {
  done: Promise<Run>;
  firstLine: Promise<void>;
  closeOutput(): void;
} {
  const child = spawn(process.execPath, [main], {
    cwd: orders.workspace,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...networkEnvironment(),
      ORDERS_DATABASE_URL: orders.server.url,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const firstLine = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return {
    firstLine,
    closeOutput: () => child.stdout.destroy(),
    done: new Promise((resolve) => child.once('close', (code) => resolve({ code, output }))),
  };
}

test('prints plain text and leaves its files in the output directory', async () => {
  const { code, output } = await start({ INPUT_MODE: 'check' }).done;

  expect(code).toBe(0);
  expect(output).toContain(
    'SUCCESS: Ready: nothing blocks the upgrade to PostgreSQL 15.18. Nothing was changed.',
  );
  expect(output).not.toMatch(/^::/m);
  expect(secretsIn(output)).toEqual([]);
  expect((await readdir(join(orders.workspace, 'postgres-upgrade-report/orders'))).sort()).toEqual([
    'plan.json',
    'report.html',
    'report.json',
    'summary.md',
  ]);
});

test('an error is printed with its hint', async () => {
  const { code, output } = await start({ INPUT_TARGETS: 'nobody' }).done;

  expect(code).toBe(1);
  expect(output).toBe(
    'Postgres Upgrade\nerror: target-unknown: The spec has no target "nobody".\n  It has: orders.\n',
  );
});

test('a reader that goes away does not stop an upgrade', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  const run = start({ INPUT_MODE: 'upgrade', 'INPUT_OUTPUT-DIRECTORY': folder });
  await run.firstLine;
  run.closeOutput();
  const { code } = await run.done;

  expect(code).toBe(0);
  expect(await orders.version()).toBe('15.18');
  await rm(folder, { recursive: true });
});
