/** Plans, records and dumps of earlier runs: by the real clients, against the loopback API, store and artifact service. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { uploadFile } from '../../src/action/artifacts.ts';
import { outsideOf } from '../../src/action/outside.ts';
import { errorsOf } from '../../src/errors.ts';
import type { PlanFile } from '../../src/report/plan-file.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { digestOf } from '../../src/upgrade/digest.ts';
import { planRecord, successRecord } from '../report/fixture.ts';
import { smallest } from '../spec/specs.ts';
import { type ArtifactService, startArtifactService } from '../support/artifact-service.ts';
import { type GitHub, startGitHub } from '../support/github.ts';
import { session, type TestSession } from './session.ts';

let github: GitHub;
let run: TestSession;
let folder: string;
beforeEach(async () => {
  github = await startGitHub();
  run = session({ spec: smallest, event: { name: 'workflow_dispatch', payload: {} }, github });
  vi.stubEnv('ACTIONS_RESULTS_URL', '');
  vi.stubEnv('ACTIONS_RUNTIME_TOKEN', '');
  folder = mkdtempSync(join(tmpdir(), 'outside-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  run[Symbol.dispose]();
  rmSync(folder, { recursive: true });
  await github[Symbol.asyncDispose]();
});

function outside() {
  const found = outsideOf(run.inputs, run.log, run.secrets);
  if (!found) throw new Error('there is no GitHub');
  return found;
}

const decision = { from: '"15.17"', wanted: '"15.18"' };
const digest = digestOf(decision);

function planFile(changes: Partial<NonNullable<UpgradeRecord['plan']>> = {}, target = 'orders'): PlanFile {
  const { plan } = planRecord();
  if (!plan) throw new Error('the fixture has a plan');
  return {
    version: 1,
    target,
    made: '2026-11-20T18:00:00.000Z',
    run: null,
    commit: null,
    plan: { ...plan, decision, digest, ...changes },
  };
}

describe('outside GitHub', () => {
  it('there is none', () => {
    vi.stubEnv('GITHUB_ACTIONS', '');
    expect(outsideOf(run.inputs, run.log, run.secrets)).toBeNull();
  });
});

describe('the approved plan', () => {
  const name = 'postgres-upgrade-orders-plan.plan.json';

  it('is found by its digest among those of other runs, whoever uploaded it', async () => {
    const other = { decision: { from: '"15.16"' }, digest };
    github.addArtifact(name, JSON.stringify(planFile()), {
      run: { head_branch: 'feature', head_repository_id: 99 },
    });
    github.addArtifact('postgres-upgrade-orders-plan-2.plan.json', JSON.stringify(planFile(other)));
    github.addArtifact(name, 'no JSON');
    github.addArtifact(name, JSON.stringify(planFile()), { expired: true });
    expect(await outside().approvedPlan('orders', digest)).toEqual(planFile());
    expect(github.leaked).toEqual([]);
  });

  it('is not taken where it only says that it has the digest', async () => {
    github.addArtifact(name, JSON.stringify(planFile({ decision: { from: '"9.6"' } })));
    github.addArtifact(name, JSON.stringify(planFile({}, 'stock')));
    expect(await outside().approvedPlan('orders', digest)).toBeNull();
    expect(run.lines).toEqual([`No artifact has a plan of orders with the digest ${digest.slice(0, 12)}.`]);
  });

  it.each<[string, () => void, string]>([
    [
      'without the permission',
      () => {
        for (const token of github.tokens.values()) token.permissions = ['contents: read'];
      },
      'the token may not do it (HTTP 403); the job needs the permission actions: read',
    ],
    [
      'with a server that fails',
      () => github.plant({ route: /artifacts/, status: 503, message: 'no' }),
      'GitHub answered HTTP 503: no',
    ],
  ])('%s is none, and the log says why', async (_, plant, why) => {
    plant();
    expect(await outside().approvedPlan('orders', digest)).toBeNull();
    expect(run.lines).toEqual([`The approved plan was not found: ${why}.`]);
  });

  it('without a token is none', async () => {
    run.inputs.githubToken = '';
    expect(await outside().approvedPlan('orders', digest)).toBeNull();
    expect(github.requests).toEqual([]);
  });
});

describe('the plan of an earlier job of this run', () => {
  let service: ArtifactService;
  beforeEach(async () => {
    service = await startArtifactService();
    use('plan');
  });
  afterEach(() => service[Symbol.asyncDispose]());

  const use = (job: string): void => {
    for (const [key, value] of Object.entries(service.environmentOf('run', job))) vi.stubEnv(key, value);
  };
  const upload = async (name: string, content: string): Promise<void> => {
    const file = join(folder, name);
    writeFileSync(file, content);
    expect(await uploadFile(file, null, file, run.log)).toMatchObject({ state: 'uploaded' });
  };

  it('is found without asking the API, and leaves no file', async () => {
    await upload('postgres-upgrade-stock-plan.plan.json', JSON.stringify(planFile({}, 'stock')));
    await upload('postgres-upgrade-orders-plan.plan.json', JSON.stringify(planFile()));
    use('upgrade');
    expect(await outside().approvedPlan('orders', digest)).toEqual(planFile());
    expect(github.requests).toEqual([]);
    expect((await readdir(run.workspace)).filter((each) => each.startsWith('artifacts-'))).toEqual([]);
  });

  it('is looked for among other runs where this one has another', async () => {
    await upload(
      'postgres-upgrade-orders-plan.plan.json',
      JSON.stringify(planFile({ decision: { a: '1' } })),
    );
    github.addArtifact('postgres-upgrade-orders-plan.plan.json', JSON.stringify(planFile()));
    use('upgrade');
    expect(await outside().approvedPlan('orders', digest)).toEqual(planFile());
  });

  it('is looked for among other runs where the service fails', async () => {
    service.faults.plant('ListArtifacts', { status: 403 });
    github.addArtifact('postgres-upgrade-orders-plan.plan.json', JSON.stringify(planFile()));
    expect(await outside().approvedPlan('orders', digest)).toEqual(planFile());
    expect(run.lines[0]).toMatch(/^The artifacts of this run could not be read: /);
  });
});

describe('the last record', () => {
  const record = (mode: UpgradeRecord['mode'], id: string, more: Partial<UpgradeRecord> = {}): string =>
    JSON.stringify({ ...successRecord(), mode, id, ...more });
  const add = (mode: string, content: string, more: Parameters<GitHub['addArtifact']>[2] = {}): void =>
    void github.addArtifact(`postgres-upgrade-orders-${mode}.report.json`, content, more);

  it('is the newest of upgrade, resume and rollback, attempts included', async () => {
    add('upgrade', record('upgrade', 'first'));
    add('rollback', record('rollback', 'second'));
    add('resume-3', record('resume', 'third'));
    add('plan', record('plan', 'fourth'));
    expect(await outside().lastRecord('orders')).toMatchObject({ id: 'third' });
    expect(await outside().lastRecord('stock')).toBeNull();
    expect(github.leaked).toEqual([]);
  });

  it('passes over one that found nothing to do, or was refused', async () => {
    add('upgrade', record('upgrade', 'done'));
    add('upgrade', record('upgrade', 'skipped', { result: 'skipped' }));
    add('resume', record('resume', 'refused', { result: 'refused' }));
    expect(await outside().lastRecord('orders')).toMatchObject({ id: 'done' });
    expect(run.lines).toEqual([]);
  });

  it('is found behind many other artifacts, by its name and its attempt', async () => {
    add('upgrade', record('upgrade', 'first'));
    add('upgrade-2', record('upgrade', 'second'));
    add('rollback', record('rollback', 'theirs'), { run: { head_branch: 'feature' } });
    for (let count = 0; count < 350; count += 1) github.addArtifact(`coverage-${count}`, 'x');
    const found = outside();
    expect(await found.lastRecord('orders')).toMatchObject({ id: 'second' });
    expect(github.requests.filter((request) => /artifacts\?page=/.test(request))).toHaveLength(3);
    // What a fleet asks for many times is asked once.
    const before = github.requests.length;
    await found.lastRecord('stock');
    expect(github.requests.slice(before).filter((request) => !request.includes('name='))).toEqual([]);
  });

  it('of a short list costs a look at the list, for all targets together', async () => {
    add('upgrade', record('upgrade', 'first'));
    const found = outside();
    for (const target of ['orders', 'stock', 'billing']) await found.lastRecord(target);
    expect(github.requests.filter((request) => request.includes('/artifacts?'))).toHaveLength(1);
  });

  it('is never one that a pull request, a fork or another branch uploaded', async () => {
    add('upgrade', record('upgrade', 'ours'));
    for (const run of [
      { head_branch: 'renovate/postgres' },
      { head_repository_id: 99 },
      { repository_id: 99 },
      { head_repository_id: 99, head_branch: 'main' },
    ])
      add('upgrade', record('upgrade', 'theirs'), { run });
    add('upgrade', record('upgrade', 'expired'), { expired: true });
    expect(await outside().lastRecord('orders')).toMatchObject({ id: 'ours' });
  });

  it('is never one of a tag that is called like the branch, or of an event that anybody can cause', async () => {
    add('upgrade', record('upgrade', 'ours'), { run: { id: 5, event: 'workflow_dispatch' } });
    const elsewhere = 'c'.repeat(40);
    github.elsewhere.add(elsewhere);
    add('upgrade', record('upgrade', 'tag'), { run: { id: 6, event: 'push', head_sha: elsewhere } });
    add('resume', record('resume', 'tag too'), { run: { id: 6, event: 'push', head_sha: elsewhere } });
    for (const event of ['pull_request_target', 'workflow_run', 'issue_comment', 'repository_dispatch'])
      add('upgrade', record('upgrade', event), { run: { event } });
    expect(await outside().lastRecord('orders')).toMatchObject({ id: 'ours' });
    // Each run is asked about once, and compared only where its event counts.
    const asked = github.requests.filter((request) => /runs|compare/.test(request));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.filter((request) => request.includes('/compare/'))).toHaveLength(2);
  });

  it('is none, and the log says why, where nobody can tell whose it is', async () => {
    add('upgrade', record('upgrade', 'ours'));
    for (const token of github.tokens.values()) token.permissions = ['actions: read', 'metadata: read'];
    expect(await outside().lastRecord('orders')).toBeNull();
    expect(run.lines).toEqual([expect.stringContaining('HTTP 403')]);
  });

  it('is the one before where the newest is of another version, another target, or did not end', async () => {
    add('upgrade', record('upgrade', 'good'));
    add('upgrade', '{"version":99}');
    add('upgrade', record('upgrade', 'open', { finished: null }));
    add('upgrade', record('upgrade', 'wrong', { target: { ...successRecord().target, name: 'stock' } }));
    expect(await outside().lastRecord('orders')).toMatchObject({ id: 'good' });
    expect(run.lines).toHaveLength(3);
  });

  it('is none, and the log says why, where it cannot be read', async () => {
    github.plant({ route: /artifacts$/, status: 500, message: 'Server Error' });
    expect(await outside().lastRecord('orders')).toBeNull();
    expect(run.lines).toEqual([
      'Earlier records of orders could not be read: GitHub answered HTTP 500: Server Error.',
    ]);
  });

  it('is none where its content is not what GitHub says', async () => {
    add('upgrade', record('upgrade', 'changed'), { digest: `sha256:${'0'.repeat(64)}` });
    expect(await outside().lastRecord('orders')).toBeNull();
    expect(run.lines[0]).toContain('what came has');
  });
});

describe('the latest dump', () => {
  const name = 'postgres-upgrade-orders-upgrade.dump.tar.age';
  const content = Buffer.alloc(3 * 1024 * 1024, 'dump');
  const signal = new AbortController().signal;
  const get = () => outside().latestDump('orders', folder, signal);
  const fault = async (): Promise<unknown[]> => {
    try {
      await get();
      return [];
    } catch (cause) {
      return errorsOf(cause).map(({ code, message, hint }) => [code, message, hint !== undefined]);
    }
  };

  it('is the newest of upgrade and rehearse, byte for byte, and the store sees no token', async () => {
    github.addArtifact('postgres-upgrade-orders-rehearse.dump.tar', 'old');
    const { run: made } = github.addArtifact(name, content);
    const dump = await get();
    expect(dump).toEqual({ file: join(folder, name), where: `${name} of run ${made.id}`, encrypted: true });
    expect(readFileSync(dump.file).equals(content)).toBe(true);
    expect(github.leaked).toEqual([]);
  });

  it('in clear is told as such', async () => {
    github.addArtifact('postgres-upgrade-orders-rehearse-2.dump.tar', content, { digest: null });
    expect(await get()).toMatchObject({ encrypted: false });
  });

  it.each<[string, () => void, string]>([
    ['none', () => {}, 'There is no uploaded dump of orders: no run uploaded one.'],
    [
      'only expired ones',
      () => void github.addArtifact(name, content, { expired: true }),
      'There is no uploaded dump of orders: 1 that there were have expired.',
    ],
    [
      'only one of a pull request',
      () => void github.addArtifact(name, content, { run: { head_branch: 'feature' } }),
      'There is no uploaded dump of orders: those that there are come from other branches or repositories.',
    ],
    [
      'no permission',
      () => {
        for (const token of github.tokens.values()) token.permissions = ['metadata: read'];
      },
      'There is no uploaded dump of orders: the token may not do it (HTTP 403); the job needs the permission actions: read.',
    ],
  ])('%s is artifact-missing', async (_, prepare, message) => {
    prepare();
    expect(await fault()).toEqual([['artifact-missing', message, true]]);
  });

  it.each<[string, Parameters<GitHub['addArtifact']>[2], () => void, RegExp]>([
    [
      'another content',
      { digest: `sha256:${'0'.repeat(64)}` },
      () => {},
      /GitHub says its sha256 is 0{64}, what came has [0-9a-f]{64}\.$/,
    ],
    [
      'an archive',
      { contentType: 'application/zip' },
      () => {},
      /it is an archive, and this action uploads single files\.$/,
    ],
    [
      'a download that is refused',
      {},
      () => github.plant({ route: /zip$/, status: 403, message: 'Resource not accessible by integration' }),
      /the token may not do it \(HTTP 403\); the job needs the permission actions: read\.$/,
    ],
    [
      'a store that is not there',
      {},
      () =>
        github.plant({
          route: /zip$/,
          status: 302,
          headers: { location: 'http://127.0.0.1:1/x?sig=SECRET' },
        }),
      /could not be downloaded: fetch failed/,
    ],
    [
      'an answer without an address',
      {},
      () => github.plant({ route: /zip$/, status: 200 }),
      /GitHub answered HTTP 200 without an address\.$/,
    ],
  ])('%s is artifact-download, and leaves no file', async (_, more, prepare, message) => {
    github.addArtifact(name, content, more);
    prepare();
    expect(await fault()).toEqual([['artifact-download', expect.stringMatching(message), true]]);
    expect(JSON.stringify(await fault())).not.toContain('sig=');
    expect(await readdir(folder)).toEqual([]);
  });
});
