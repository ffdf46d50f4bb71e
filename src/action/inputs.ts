/** The action's inputs: read once, checked, typed. */

import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import * as core from '@actions/core';
import { UpgradeError } from '../errors.ts';
import { type Mode, modeSchema } from '../report/record.ts';

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
  mode: Mode;
  planDigest: string;
  artifacts: ArtifactChoice;
  summary: boolean;
  /** Empty for none. */
  reportUrl: string;
  /** Empty for none. */
  githubToken: string;
  outputDirectory: string;
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

/** https, or anything on this machine itself. */
function mayReceive(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
  );
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
    mode: oneOf('mode', read('mode', 'plan'), modeSchema.options),
    planDigest,
    artifacts: oneOf('artifacts', read('artifacts', 'reports'), ['all', 'reports', 'none']),
    summary: oneOf('summary', read('summary', 'true'), ['true', 'false']) === 'true',
    reportUrl,
    githubToken,
    outputDirectory: resolve(workspace, read('output-directory', folder)),
  };
}
