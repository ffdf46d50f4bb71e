/** Rehearsals in a container of a real Docker: whole, cancelled, killed; through dist where a process must die. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { secretsIn, type Target, target } from '../e2e/support.ts';
import { rehearse, stagesOf } from '../rehearsal/rehearse.ts';
import { runPost } from '../support/runner.ts';
import { password } from '../support/servers.ts';
import { processesWith } from '../support/targets.ts';
import { containers, docker, listed } from './host.ts';

const inContainer = 'rehearsal: { scratch: docker }';
let one: Target;
/** Folders that were mounted into containers while somebody looked. */
let folders: string[];

beforeAll(async () => {
  one = await target('15.17', '15.18');
  await one.spec({ more: `    ${inContainer}` });
});
afterAll(() => one?.[Symbol.asyncDispose]());

beforeEach(() => {
  folders = [];
});
// No container, no volume, no folder; the target serves the version it had.
afterEach(async () => {
  const left = await containers();
  for (const each of left) await docker('rm', '--force', '--volumes', each);
  expect([left, await listed('volume', 'ls', '--quiet')]).toEqual([[], []]);
  expect(folders).toHaveLength(1);
  expect(folders.filter((each) => existsSync(each))).toEqual([]);
  const backups = `${one.server.data}.upgrade/backups`;
  expect(await processesWith(backups)).toEqual([]);
  const rest = existsSync(backups) ? await readdir(backups) : [];
  expect(rest.filter((name) => name.startsWith('work-'))).toEqual([]);
  expect(await one.version()).toBe('15.17');
});

/** The container that is there now. */
async function look(): Promise<string> {
  const [name = '', ...others] = await containers();
  expect(others).toEqual([]);
  const mounts = await listed('inspect', '--format', '{{range .Mounts}}{{println .Source}}{{end}}', name);
  folders.push(...mounts.filter((each) => each.endsWith('/socket')).map((each) => dirname(each)));
  return name;
}

/** What a run through dist is given besides what it has anyway. */
const daemon = { env: { DOCKER_HOST: process.env.DOCKER_HOST ?? '' } };

/** Starts a rehearsal through dist; its copy is half restored then. */
async function inTheMiddle() {
  const running = one.start('rehearse', daemon);
  await running.line(/Restore the backup and compare it/);
  return { running, name: await look() };
}

async function killedInTheMiddle() {
  const { running } = await inTheMiddle();
  running.kill9();
  return await running.done;
}

test('a rehearsal passes in a container; neither it nor a command line knows a password', async () => {
  const told: Promise<string[]>[] = [];
  const ask = async (): Promise<string[]> => {
    const name = await look();
    const shown = [docker('inspect', name), docker('logs', name), docker('exec', name, 'ps')];
    return [...(await Promise.all(shown)), ...(await processesWith(password))];
  };
  await using result = await rehearse(one.server, {
    wanted: '15.18',
    more: [inContainer],
    context: {
      log: {
        info: () => {},
        annotate: () => {},
        startGroup: () => {},
        endGroup: () => {},
        progress: (line) => {
          if (line.includes('restoring into') && told.length === 0) told.push(ask());
        },
      },
    },
  });
  const { record } = result;
  expect([record.result, record.changed, record.issues]).toEqual(['success', false, []]);
  expect(record.verdict).toMatch(
    /^The upgrade of 15\.17 to 15\.18 was rehearsed on a restored copy, and it passed\. Expected downtime: \d/,
  );
  expect(stagesOf(record)).toEqual(
    ['scratch', 'backup', 'restore', 'advice', 'checks', 'compare', 'restart'].map((id) => `${id} passed`),
  );
  expect(record.rehearsal).toMatchObject({
    passed: true,
    exact: true,
    ranOn: '15.18',
    scratch: { kind: 'docker', where: 'postgres:15.18' },
  });
  expect(record.rehearsal?.scratch?.isolation).toContain(
    'The network is cut off: its container has none (docker run --network none).',
  );
  expect(record.backup?.proof).toMatchObject({ verdict: 'proved', differences: [] });
  const { measures } = record.rehearsal ?? {};
  expect(measures?.restoredBytes).toBeGreaterThan(20 * 1024 ** 2);
  expect(measures?.expectedDowntimeMs).toBe((measures?.stopMs ?? 0) + (measures?.startMs ?? 0));
  const [first = []] = await Promise.all(told);
  expect(first).toHaveLength(3);
  expect(first[0]).toContain('POSTGRES_PASSWORD_FILE=/run/scratch-password');
  expect(secretsIn(first.join())).toEqual([]);
});

test('killed: the next rehearsal removes its container first, and passes', async () => {
  await using _ = await killedInTheMiddle();
  await using next = await one.run('rehearse', daemon);
  expect([next.exitCode, next.outputs.result]).toEqual([0, 'success']);
  expect(next.log).toContain('a rehearsal was killed; cleaning up after it');
});

test('killed: the post step removes its container', async () => {
  await using killed = await killedInTheMiddle();
  expect(await containers()).toHaveLength(1);
  await using post = await runPost(killed);
  expect(post.summary).toMatch(/^## ⏹️ /);
});

test('cancelled: ends within the time that GitHub gives, and leaves nothing', async () => {
  const { running } = await inTheMiddle();
  running.cancel();
  await using result = await running.done;
  expect([result.conclusion, result.signal]).toEqual(['cancelled', null]);
  expect((await one.record()).result).toBe('cancelled');
});

test('its container dies in the middle: the rehearsal fails where it was', async () => {
  const { running, name } = await inTheMiddle();
  await docker('kill', name);
  await using result = await running.done;
  expect([result.exitCode, result.outputs.result]).toEqual([1, 'failed']);
  expect((await one.record()).verdict).toMatch(/ failed at "Restore the backup and compare it": /);
});
