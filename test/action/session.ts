/** A session as a run on GitHub has one, with its variables and files in a folder of its own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { eventOf, identityOf, isUnmerged } from '../../src/action/github.ts';
import { type Inputs, readInputs } from '../../src/action/inputs.ts';
import { workspaceManifests } from '../../src/action/manifests.ts';
import type { Session } from '../../src/action/session.ts';
import type { Annotation, Log } from '../../src/process/log.ts';
import { createSecrets } from '../../src/process/secrets.ts';
import type { UpgradeRecord } from '../../src/report/record.ts';
import { loadSpec, selectTargets } from '../../src/spec/load.ts';
import { planRecord } from '../report/fixture.ts';
import { schema } from '../spec/specs.ts';
import type { GitHub } from '../support/github.ts';

export const baseSha = 'b'.repeat(40);
export const headSha = 'a'.repeat(40);

export interface Event {
  name: string;
  payload: object;
}

/** A pull request as GitHub sends it; `repo` is where its head comes from. */
export function pullRequest(repo: string | null = 'octo-org/octo-repo', login = 'renovate[bot]'): Event {
  return {
    name: 'pull_request',
    payload: {
      action: 'synchronize',
      number: 7,
      pull_request: {
        number: 7,
        user: { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' },
        base: { ref: 'main', sha: baseSha, repo: { full_name: 'octo-org/octo-repo' } },
        head: { ref: 'renovate/postgres', sha: headSha, repo: repo === null ? null : { full_name: repo } },
      },
      repository: { full_name: 'octo-org/octo-repo', visibility: 'private', private: true },
    },
  };
}

export function push(before = baseSha): Event {
  return { name: 'push', payload: { before, after: headSha, ref: 'refs/heads/main' } };
}

export interface SessionOptions {
  spec: string;
  /** Other files of the workspace. */
  files?: Record<string, string>;
  event: Event;
  inputs?: Partial<Inputs>;
  github: GitHub;
  /** Names of targets; all by default. */
  targets?: string[];
}

export interface TestSession extends Session, Disposable {
  lines: string[];
  annotations: Annotation[];
  workspace: string;
  summary(): string;
}

/** Its variables are set until `vi.unstubAllEnvs`. */
export function session(options: SessionOptions): TestSession {
  const { spec, files = {}, event, github } = options;
  const workspace = mkdtempSync(join(tmpdir(), 'session-'));
  for (const [name, text] of Object.entries({ ...files, 'postgres-upgrade.yaml': spec })) {
    mkdirSync(dirname(join(workspace, name)), { recursive: true });
    writeFileSync(join(workspace, name), text);
  }
  const summaryFile = join(workspace, 'summary.md');
  writeFileSync(summaryFile, '');
  writeFileSync(join(workspace, 'event.json'), JSON.stringify(event.payload));
  const variables: Record<string, string> = {
    ...github.environment,
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: workspace,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: join(workspace, 'event.json'),
    GITHUB_STEP_SUMMARY: summaryFile,
    GITHUB_RUN_ID: '1658821493',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_SHA: headSha,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_OUTPUT: '',
    RUNNER_TEMP: workspace,
    'INPUT_GITHUB-TOKEN': github.environment.GITHUB_TOKEN ?? '',
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  // Masking the token is a command on standard output, and there is no runner to read it.
  const quiet = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const inputs = { ...readInputs(workspace, true), ...options.inputs };
  quiet.mockRestore();
  const lines: string[] = [];
  const annotations: Annotation[] = [];
  const log: Log = {
    info: (line) => void lines.push(line),
    progress: () => {},
    annotate: (annotation) => void annotations.push(annotation),
    startGroup: () => {},
    endGroup: () => {},
  };
  const manifests = workspaceManifests(workspace);
  const all = loadSpec(spec, inputs.spec, schema, manifests.read);
  const secrets = createSecrets();
  return {
    inputs,
    all,
    targets: selectTargets(all, options.targets ?? []),
    specText: spec,
    manifests,
    log,
    secrets,
    github: true,
    context: {
      mode: inputs.mode === 'list' ? 'plan' : inputs.mode,
      log,
      secrets,
      signal: new AbortController().signal,
      variables: {},
      now: () => new Date('2026-11-20T18:00:00Z'),
      identity: identityOf(process.env),
      version: '0.1.0',
      outputDirectory: workspace,
      files: new Map(Object.entries(files).filter(([name]) => name.endsWith('.sql'))),
      planDigest: '',
      approvedPlan: null,
      rehearseFrom: '',
      overrides: new Set(),
      changes: new Map(),
      onPullRequest: isUnmerged(event.name),
      pullRequestChanges: 'version-only',
      outside: null,
    },
    lines,
    annotations,
    workspace,
    summary: () => readFileSync(summaryFile, 'utf8'),
    [Symbol.dispose]: () => rmSync(workspace, { recursive: true, force: true }),
  };
}

/** A plan that is ready, of the run that the variables tell of. */
export function readyRecord(changes: Partial<UpgradeRecord> = {}): UpgradeRecord {
  const request = eventOf(process.env).pull_request;
  return {
    ...planRecord(),
    run: identityOf(process.env),
    change: request
      ? {
          event: 'pull_request',
          number: 7,
          base: baseSha,
          head: headSha,
          kind: 'minor',
          from: '15.17',
          to: '15.18',
          others: [],
          why: null,
        }
      : null,
    ...changes,
  };
}
