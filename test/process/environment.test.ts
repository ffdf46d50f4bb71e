import { afterEach, describe, expect, it, vi } from 'vitest';
import { cleanEnvironment } from '../../src/process/environment.ts';
import { run } from '../../src/process/run.ts';
import { ask } from '../../src/process/short.ts';

const runners = {
  ACTIONS_RUNTIME_TOKEN: 'token-a',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'token-b',
  RUNNER_TRACKING_ID: 'github_1',
  INPUT_GITHUB_TOKEN: 'token-c',
  GITHUB_TOKEN: 'token-d',
  GITHUB_ENV: '/env',
  GITHUB_OUTPUT: '/output',
  ORDERS_DATABASE_URL: 'postgresql://ops:hunter2@db1/orders',
  PGPASSWORD: 'hunter2',
  PGSERVICEFILE: '/service',
  NODE_OPTIONS: '',
  LD_PRELOAD: '',
  LANG: 'de_DE.UTF-8',
};

function pretendRunner(): void {
  for (const [name, value] of Object.entries(runners)) vi.stubEnv(name, value);
  vi.stubEnv('SSH_AUTH_SOCK', '/agent');
}

/** Names that a shell sets by itself. */
const shells = ['PWD', 'OLDPWD', 'SHLVL', '_'];

function namesIn(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.includes('='))
    .map((line) => line.slice(0, line.indexOf('=')))
    .filter((name) => !shells.includes(name));
}

const allowed = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TZ',
  'SSH_AUTH_SOCK',
  'KUBECONFIG',
  'XDG_CACHE_HOME',
  'LC_ALL',
];

afterEach(() => vi.unstubAllEnvs());

describe('cleanEnvironment', () => {
  it('keeps a short list, speaks English, and adds what is asked for', () => {
    pretendRunner();
    const environment = cleanEnvironment({ PGPASSFILE: '/pgpass', PATH: '/bin' });
    expect(Object.keys(environment).filter((name) => name in runners)).toEqual([]);
    expect(environment).toMatchObject({
      LC_ALL: 'C',
      SSH_AUTH_SOCK: '/agent',
      PGPASSFILE: '/pgpass',
      PATH: '/bin',
    });
  });
});

describe('a child', () => {
  it('of run() gets nothing of the runner', async () => {
    pretendRunner();
    const { stdout } = await run(['env'], { env: { MARK: '1' } });
    expect(namesIn(stdout).filter((name) => ![...allowed, 'MARK'].includes(name))).toEqual([]);
    expect(stdout).toContain('MARK=1\n');
    expect(stdout).toContain('LC_ALL=C\n');
  });

  it('of ask() gets nothing of the runner', async () => {
    pretendRunner();
    const answer = await ask('env', [], { MARK: '1' });
    expect(namesIn(answer?.stdout ?? '').filter((name) => ![...allowed, 'MARK'].includes(name))).toEqual([]);
    expect(answer?.stdout).toContain('MARK=1');
  });
});

describe('ask', () => {
  it('gives exit code and output, and null for a program that is not there', async () => {
    expect(await ask('sh', ['-c', 'echo "  answer  "; exit 3'])).toEqual({ code: 3, stdout: 'answer' });
    expect(await ask('/no/such/program', [])).toBe(null);
  });
});
