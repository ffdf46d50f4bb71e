/** Applications of a run: a real program that answers over HTTP, stopped, started, and asked for its health. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/postgres/server.ts';
import {
  isApplication,
  type StoppedApplication,
  startApplication,
  stopApplications,
} from '../../src/upgrade/applications.ts';
import { failureOf, stepRunOf, until } from '../support/targets.ts';

let folder: string;
let port: number;

/** Answers 503 for the first three questions after its start, as an application that warms up does. */
const serverJs = `
  import { createServer } from 'node:http';
  let asked = 0;
  createServer((request, response) => {
    const warm = request.url === '/health' && (asked += 1) > 3;
    response.writeHead(warm ? 200 : 503).end();
  }).listen(Number(process.argv[2]), '127.0.0.1');`;
const startJs = `
  import { spawn } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  const [port, pidFile, server] = process.argv.slice(2);
  const child = spawn(process.execPath, [server, port], { detached: true, stdio: 'ignore' });
  writeFileSync(pidFile, String(child.pid));
  child.unref();`;
const stopJs = `
  import { readFileSync } from 'node:fs';
  process.kill(Number(readFileSync(process.argv[2], 'utf8')), 'SIGTERM');`;

const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgu-application-'));
  port = await freePort();
  for (const [name, text] of Object.entries({
    'server.mjs': serverJs,
    'start.mjs': startJs,
    'stop.mjs': stopJs,
  }))
    await writeFile(file(name), text);
});
afterAll(async () => {
  const pid = Number(await readFile(file('pid'), 'utf8').catch(() => '0'));
  if (pid > 0 && (await answers())) process.kill(pid, 'SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

function application(changes: Partial<StoppedApplication> = {}): StoppedApplication {
  return {
    name: 'storefront',
    stop: [process.execPath, file('stop.mjs'), file('pid')],
    start: [process.execPath, file('start.mjs'), String(port), file('pid'), file('server.mjs')],
    health: `http://127.0.0.1:${port}/health`,
    'start-timeout': 20,
    'runs-on': 'target',
    ...changes,
  };
}

const entryOf = (spec: StoppedApplication) => ({
  id: `application:${spec.name}`,
  what: 'application storefront is stopped',
  detail: spec,
});

async function answers(): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

test('started until it is healthy, stopped, and the journal knows first', async () => {
  const progress: string[] = [];
  await startApplication(entryOf(application()), [], (text) => progress.push(text));
  expect(progress).toEqual(['starting storefront']);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);

  const { run, told } = stepRunOf();
  let atSwitchOff: boolean | null = null;
  await stopApplications([application()], {
    ...run,
    async switchOff(entry) {
      atSwitchOff = await answers();
      await run.switchOff(entry);
    },
  });
  expect(atSwitchOff).toBe(true);
  expect(told.off).toEqual([entryOf(application())]);
  expect(told.off.every(isApplication)).toBe(true);
  expect(told.notes).toEqual(['storefront stopped']);
  expect(await until(answers, (up) => !up)).toBe(false);
});

test('started again, but never healthy', async () => {
  const sick = application({ health: `http://127.0.0.1:${port}/`, 'start-timeout': 1 });
  // The spec of today wins over what the journal remembers.
  const failure = await failureOf(startApplication(entryOf(application()), [sick], () => {}));
  expect(failure).toMatchObject({
    code: 'application-health',
    message: `storefront was started, but http://127.0.0.1:${port}/ did not answer within 1 seconds (HTTP 503).`,
    hint: "Look at the application's own log. The database is up.",
  });
  expect(await answers()).toBe(true);
});

test('a command that fails says which, and with what', async () => {
  const fails = [process.execPath, '-e', 'console.error("no such unit"); process.exit(5)'];
  const { run, told } = stepRunOf();
  expect(await failureOf(stopApplications([application({ stop: fails })], run))).toMatchObject({
    code: 'application',
    message: `Stopping storefront failed: ${fails.join(' ')} ended with exit code 5.`,
    hint: 'no such unit',
  });
  // It may be half stopped: whoever cleans up has to start it.
  expect(told.off).toHaveLength(1);
});

test('a start that takes its time is told of', async () => {
  // The one that an earlier test has left would keep the port.
  process.kill(Number(await readFile(file('pid'), 'utf8')), 'SIGTERM');
  await until(answers, (there) => !there);
  const slow = application({ health: `http://127.0.0.1:${port}/`, 'start-timeout': 3 });
  const progress: string[] = [];
  await failureOf(startApplication(entryOf(slow), [], (text) => progress.push(text)));
  expect(progress).toEqual([
    'starting storefront',
    expect.stringMatching(/^waiting for storefront: 2 of 3 s, HTTP 503$/),
  ]);
});
