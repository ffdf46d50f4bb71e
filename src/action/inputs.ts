/** The action's inputs: read once, checked, typed. */

import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import * as core from '@actions/core';
import { UpgradeError } from '../errors.ts';
import { mayReceive } from '../notify/address.ts';
import { type Gate, gates, type Mode, modeSchema } from '../report/record.ts';

/** Input `artifacts`. */
export type ArtifactChoice = 'all' | 'reports' | 'none';

/** Every input, checked; paths are absolute where their comment says so. */
export interface Inputs {
  /** Path as the user wrote it, for messages. */
  spec: string;
  /** The same, absolute. */
  specPath: string;
  /** Names of targets; empty for all. */
  targets: string[];
  /** `list` opens no target: it tells which there are. */
  mode: Mode | 'list';
  planDigest: string;
  artifacts: ArtifactChoice;
  summary: boolean;
  /** Empty for none. */
  reportUrl: string;
  /** Empty for none. */
  githubToken: string;
  outputDirectory: string;
  /** Which backup is rehearsed; empty for what the spec says. */
  from: string;
  /** Refusals that a person overrides by name. */
  overrides: ReadonlySet<Gate>;
  /** Path of plan.json of the approved plan, absolute; empty for none. */
  planFile: string;
  /** Whether a pull request is commented. */
  comment: boolean;
  /** Whether a failure opens an issue, and a success closes it. */
  issue: boolean;
  /** What the repository's workflows do when a pull request is merged. */
  atMerge: AtMerge;
  /** Whether a pull request may change more of a target than its version, and the target is opened all the same. */
  pullRequestChanges: 'version-only' | 'allow';
  /** `NAME=value` lines: more variables for the spec's env:NAME. */
  variables: Readonly<Record<string, string>>;
}

/** Input `at-merge`. */
export type AtMerge = 'nothing' | 'plan' | 'upgrade' | 'upgrade-minor';

/** A mask of fewer characters blots out half of the log, and outputs that hold it are dropped by the runner. */
const shortestMask = 4;

/** Lines NAME=value; empty lines and lines that begin with # are left out. Values of 4 characters and more are masked. */
function readVariables(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const found = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\r?$/.exec(line);
    if (!found?.[1])
      throw new UpgradeError('input', `Line ${index + 1} of the input variables is not NAME=value.`, {
        phase: 'inputs',
        hint: 'Write one variable a line, without quotes.',
      });
    const value = found[2] ?? '';
    if (isMasked(value)) core.setSecret(value);
    variables[found[1]] = value;
  }
  return variables;
}

/** Whether a value of the input variables is masked. */
export function isMasked(value: string): boolean {
  return value.length >= shortestMask;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new UpgradeError('input', `The input ${name} is "${value}".`, {
    phase: 'inputs',
    hint: `It must be one of: ${allowed.join(', ')}.`,
  });
}

/** Inputs are empty strings where they are not given; defaults of action.yml count outside GitHub too. */
function read(name: string, fallback: string): string {
  return core.getInput(name) || fallback;
}

/** The backup that is rehearsed: the same words as in the spec. */
function readFrom(from: string): string {
  if (['', 'fresh', 'latest-artifact'].includes(from) || isAbsolute(from)) return from;
  throw new UpgradeError('input', `The input from is "${from}".`, {
    phase: 'inputs',
    hint: 'It must be fresh, latest-artifact, or the absolute path of a backup.',
  });
}

/** @throws UpgradeError `input` */
export function readInputs(workspace: string, onGitHub: boolean): Inputs {
  const spec = read('spec', 'postgres-upgrade.yaml');
  const specPath = resolve(workspace, spec);
  const outside = relative(workspace, specPath);
  if (onGitHub && (outside.startsWith('..') || isAbsolute(outside))) {
    throw new UpgradeError('input', `The spec ${spec} lies outside of the workspace.`, {
      phase: 'inputs',
      hint: 'Name a file of the checked-out repository.',
    });
  }
  const reportUrl = core.getInput('report-url');
  if (reportUrl && !mayReceive(reportUrl)) {
    throw new UpgradeError('input', 'The input report-url is not an https URL.', {
      phase: 'inputs',
      hint: 'The record must not travel in clear.',
    });
  }
  const planDigest = core.getInput('plan-digest');
  if (planDigest && !/^[0-9a-f]{64}$/.test(planDigest)) {
    throw new UpgradeError('input', 'The input plan-digest is not a digest.', {
      phase: 'inputs',
      hint: 'Pass the output plan-digest of a run with mode: plan, 64 hexadecimal digits.',
    });
  }
  const githubToken = core.getInput('github-token');
  if (githubToken) core.setSecret(githubToken);
  const folder = onGitHub
    ? join(process.env.RUNNER_TEMP || tmpdir(), 'postgres-upgrade')
    : join(workspace, 'postgres-upgrade-report');
  return {
    spec,
    specPath,
    targets: core
      .getInput('targets')
      .split(/[\s,]+/)
      .filter((name) => name !== ''),
    mode: oneOf('mode', read('mode', 'plan'), ['list', ...modeSchema.options]),
    planDigest,
    artifacts: oneOf('artifacts', read('artifacts', 'reports'), ['all', 'reports', 'none']),
    summary: oneOf('summary', read('summary', 'true'), ['true', 'false']) === 'true',
    reportUrl,
    githubToken,
    outputDirectory: resolve(workspace, read('output-directory', folder)),
    from: readFrom(core.getInput('from')),
    overrides: new Set(
      core
        .getInput('override')
        .split(/[\s,]+/)
        .filter((name) => name !== '')
        .map((name) => oneOf('override', name, gates)),
    ),
    planFile: core.getInput('plan-file') && resolve(workspace, core.getInput('plan-file')),
    comment: oneOf('comment', read('comment', 'true'), ['true', 'false']) === 'true',
    issue: oneOf('issue', read('issue', 'false'), ['true', 'false']) === 'true',
    atMerge: oneOf('at-merge', read('at-merge', 'nothing'), ['nothing', 'plan', 'upgrade-minor', 'upgrade']),
    pullRequestChanges: oneOf('pull-request-changes', read('pull-request-changes', 'version-only'), [
      'version-only',
      'allow',
    ]),
    variables: readVariables(core.getInput('variables')),
  };
}
