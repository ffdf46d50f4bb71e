/** What main and post share: inputs, spec, and the voice of the run. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as core from '@actions/core';
import { checkIds } from '../checks/catalogue.ts';
import { environmentSchema } from '../environments/registry.ts';
import { messageOf, UpgradeError } from '../errors.ts';
import type { Log } from '../process/log.ts';
import { createSecrets, type Secrets } from '../process/secrets.ts';
import { hideUnexpected } from '../process/unexpected.ts';
import { makeOwnFolder, writeWhole } from '../process/whole-file.ts';
import { type LoadedTarget, loadSpec, selectTargets } from '../spec/load.ts';
import { specSchema } from '../spec/schema.ts';
import type { RunContext } from '../upgrade/context.ts';
import { identityOf, isUnmerged, onGitHub } from './github.ts';
import { readHealthFiles } from './health-files.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { githubLog, plainLog } from './log.ts';
import { keptManifests, type ManifestReader, workspaceManifests } from './manifests.ts';
import { outsideOf } from './outside.ts';
import { readApproved } from './plan-file.ts';
import { assertOutputElsewhere, readSpec } from './spec-file.ts';
import { version } from './version.ts';

/** Everything that main and post share. */
export interface Session {
  inputs: Inputs;
  targets: LoadedTarget[];
  context: RunContext;
  secrets: Secrets;
  log: Log;
  github: boolean;
  /** Every target of the spec, also those that were not asked for. */
  all: LoadedTarget[];
  /** The spec as it was read, and its manifests. */
  specText: string;
  manifests: ManifestReader;
}

/** The voice of this run, and the secrets that it must not say. */
export function openLog(): { log: Log; secrets: Secrets; github: boolean } {
  const github = onGitHub(process.env);
  const secrets = createSecrets(github ? core.setSecret : undefined);
  hideUnexpected(secrets.hide);
  return { log: github ? githubLog(secrets) : plainLog(secrets), secrets, github };
}

/**
 * Reads inputs and spec.
 * @param specCopy the spec as main read it: post must not depend on what became of the workspace
 * @throws UpgradeError, UpgradeErrors
 */
export async function openSession(
  log: Log,
  secrets: Secrets,
  github: boolean,
  signal: AbortSignal,
  specCopy = '',
): Promise<Session> {
  const workspace = process.env.GITHUB_WORKSPACE || process.cwd();
  const inputs = readInputs(workspace, github);
  if (inputs.githubToken) secrets.add(inputs.githubToken);
  const unmerged = github && isUnmerged(process.env.GITHUB_EVENT_NAME ?? '');
  if (unmerged) assertOutputElsewhere(workspace, inputs.outputDirectory);
  const text = await readSpec(inputs, workspace, github, specCopy);
  const manifests = specCopy ? keptManifests(inputs.outputDirectory) : workspaceManifests(workspace);
  const all = loadSpec(text, inputs.spec, specSchema(environmentSchema, checkIds), manifests.read);
  const targets = selectTargets(all, inputs.targets);
  await makeOutput(inputs.outputDirectory);
  // The post step asks nothing: it must not depend on what became of the workspace.
  const files = specCopy ? new Map<string, string>() : await readHealthFiles(targets, workspace);
  const context: RunContext = {
    // `list` opens no target.
    mode: inputs.mode === 'list' ? 'plan' : inputs.mode,
    log,
    secrets,
    signal,
    variables: { ...process.env, ...inputs.variables },
    now: () => new Date(),
    identity: identityOf(process.env),
    version,
    outputDirectory: inputs.outputDirectory,
    planDigest: inputs.planDigest,
    approvedPlan: specCopy
      ? null
      : await readApproved(
          inputs,
          targets.map(({ spec }) => spec.name),
        ),
    rehearseFrom: inputs.from,
    overrides: inputs.overrides,
    onPullRequest: unmerged,
    pullRequestChanges: inputs.pullRequestChanges,
    changes: new Map(),
    outside: outsideOf(inputs, log, secrets),
    files,
  };
  return { inputs, targets, context, secrets, log, github, all, specText: text, manifests };
}

/** @throws UpgradeError `output-folder`: found before anything is done, not after it */
async function makeOutput(folder: string): Promise<void> {
  try {
    makeOwnFolder(folder);
    const probe = join(folder, '.probe');
    writeWhole(probe, '');
    await rm(probe);
  } catch (cause) {
    throw new UpgradeError('output-folder', `Reports cannot be written to ${folder}: ${messageOf(cause)}.`, {
      phase: 'inputs',
      hint: 'Name a folder that this job may write to in the input output-directory.',
      cause,
    });
  }
}
