/** One run of the action: inputs to exit code. */
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as core from '@actions/core';
import { checkIds } from '../checks/catalogue.ts';
import { environmentSchema } from '../environments/registry.ts';
import { errorsOf, explanation, messageOf, UpgradeError } from '../errors.ts';
import type { Log } from '../process/log.ts';
import { createSecrets, hideIn, type Secrets } from '../process/secrets.ts';
import { hideUnexpected } from '../process/unexpected.ts';
import { makeOwnFolder, writeWhole } from '../process/whole-file.ts';
import { markdownBlock } from '../report/escape.ts';
import { renderHtml } from '../report/html.ts';
import { renderPlain } from '../report/plain.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { renderSummaries } from '../report/summary.ts';
import { type LoadedTarget, loadSpec, selectTargets } from '../spec/load.ts';
import { specSchema } from '../spec/schema.ts';
import { looksOnly, type RunContext } from '../upgrade/context.ts';
import { saveRecord } from '../upgrade/recorder.ts';
import { runTarget } from '../upgrade/run-target.ts';
import { uploadDump, uploadReports } from './artifacts.ts';
import { readChanges } from './changes.ts';
import { deliverRecord } from './deliver.ts';
import { tellDropped } from './dropped-outputs.ts';
import { assertDumpAllowed } from './dump-consent.ts';
import { assertMerged, identityOf, isUnmerged, onGitHub, visibility } from './github.ts';
import { readHealthFiles } from './health-files.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { listTargets } from './list.ts';
import { githubLog, plainLog } from './log.ts';
import { keepManifests, keptManifests, type ManifestReader, workspaceManifests } from './manifests.ts';
import { exitCode, outputsOf, setOutputs } from './outputs.ts';
import { outsideOf } from './outside.ts';
import { planFileOf, planPath, readApproved } from './plan-file.ts';
import { assertOutputElsewhere, readSpec } from './spec-file.ts';
import { tellGitHub } from './tell-github.ts';
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

/** Runs the action. @returns the exit code */
export async function runAction(signal: AbortSignal): Promise<number> {
  const { log, secrets, github } = openLog();
  let session: Session;
  try {
    session = await openSession(log, secrets, github, signal);
    if (github) assertMerged(session.inputs.mode, process.env.GITHUB_EVENT_NAME ?? '');
    if (github && session.inputs.mode !== 'list')
      assertDumpAllowed(
        session.targets,
        session.inputs.artifacts,
        session.inputs.artifacts === 'all'
          ? await visibility(process.env, session.inputs.githubToken)
          : 'unknown',
      );
  } catch (cause) {
    await reportEarly(cause, log, secrets, github);
    return 1;
  }
  const { inputs, targets, context } = session;
  // `list` leaves nothing to put back: without a state, the post step has nothing to do.
  if (github && inputs.mode !== 'list') {
    core.saveState('folder', inputs.outputDirectory);
    core.saveState('spec', keepSpec(session));
    keepManifests(inputs.outputDirectory, session.manifests);
    core.saveState('targets', JSON.stringify(targets.map(({ spec }) => spec.name)));
  }
  log.info(
    `Mode ${inputs.mode}, spec ${inputs.spec}, ${targets.length === 1 ? 'target' : 'targets'} ${targets.map(({ spec }) => spec.name).join(', ')}`,
  );
  const changes = await readChanges(session);
  if (inputs.mode === 'list') return await listTargets(session, changes);
  const records: UpgradeRecord[] = [];
  for (const target of inOrder(targets)) {
    const record = await runTarget(target, { ...context, changes });
    records.push(record);
    await writeReports(session, record);
    // What is wrong with one target may be wrong with the next: nobody is served by a second casualty.
    if (exitCode(context.mode, [record]) === 1 && !looksOnly(context.mode)) break;
  }
  for (const target of inOrder(targets).slice(records.length))
    log.info(`${target.spec.name} was not started, because the target before it failed.`);
  if (!signal.aborted) await publish(session, records);
  if (!signal.aborted) await tellGitHub(session, records);
  await tellResult(session, records);
  return exitCode(context.mode, records);
}

/** Waves in their order, targets of a wave as in the spec. */
function inOrder(targets: readonly LoadedTarget[]): LoadedTarget[] {
  return targets.toSorted((a, b) => a.spec.wave - b.spec.wave);
}

/** Folder of a target's reports. */
export function folderOf(session: Session, record: UpgradeRecord): string {
  return join(session.inputs.outputDirectory, record.target.name);
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

/** Keeps the spec for the post step. */
function keepSpec({ inputs, specText }: Session): string {
  const copy = join(inputs.outputDirectory, 'spec.yaml');
  writeWhole(copy, specText);
  return copy;
}

/**
 * Writes report.json, report.html and summary.md of one target. Secrets are hidden before anything is rendered: an
 * escaped secret is still one. A file that cannot be written is told about, and stops nothing.
 */
export async function writeReports(session: Session, record: UpgradeRecord): Promise<void> {
  const { secrets, log } = session;
  const folder = folderOf(session, record);
  const clean = hideIn(record, secrets);
  const files: [string, (file: string) => void][] = [
    ['report.json', (file) => saveRecord(record, file, secrets)],
    ['report.html', (file) => writeWhole(file, renderHtml(clean))],
    ['summary.md', (file) => writeWhole(file, renderSummaries([clean]))],
  ];
  const plan = planFileOf(clean);
  if (plan) files.push(['plan.json', (file) => writeWhole(file, `${JSON.stringify(plan, null, 2)}\n`)]);
  for (const [name, write] of files) {
    try {
      makeOwnFolder(folder);
      write(join(folder, name));
    } catch (cause) {
      log.annotate({
        level: 'warning',
        title: name,
        message: `It could not be written: ${messageOf(cause)}.`,
      });
    }
  }
}

/** Uploads artifacts and delivers records. On cancel there is no time for it: the post step does it. */
export async function publish(session: Session, records: readonly UpgradeRecord[]): Promise<void> {
  const { inputs, log, github } = session;
  for (const record of records) {
    const folder = folderOf(session, record);
    if (github && inputs.artifacts === 'all') {
      const target = session.targets.find(({ spec }) => spec.name === record.target.name);
      const recipients = target?.spec.backup['encrypt-to'] ?? [];
      if (target)
        record.artifacts.push(
          ...(await uploadDump(record, folder, recipients, log, new AbortController().signal)),
        );
      await writeReports(session, record);
    }
    if (github && inputs.artifacts !== 'none') {
      record.artifacts.push(...(await uploadReports(record, folder, log)));
      await writeReports(session, record);
    }
    if (inputs.reportUrl) await deliver(session, record);
  }
  if (github) core.saveState('published', 'true');
}

/** The record goes out before it can say that it did: the copy on disk and the summary say so. */
async function deliver(session: Session, record: UpgradeRecord): Promise<void> {
  const { inputs, context, log } = session;
  const folder = folderOf(session, record);
  const { delivered, what } = await deliverRecord(inputs.reportUrl, join(folder, 'report.json'));
  record.communication.push({
    at: context.now().toISOString(),
    to: new URL(inputs.reportUrl).origin,
    what,
    delivered,
    why: delivered ? null : what,
  });
  if (!delivered) {
    log.annotate({
      level: 'warning',
      title: 'report-url',
      message: `${what} The record is kept at ${folder}.`,
    });
  }
  await writeReports(session, record);
}

async function tellResult(session: Session, records: readonly UpgradeRecord[]): Promise<void> {
  const { inputs, github, log, secrets } = session;
  const clean = records.map((record) => hideIn(record, secrets));
  for (const record of clean) log.info(`\n${renderPlain(record)}`);
  if (!github) {
    for (const record of records) log.info(`Report: ${join(folderOf(session, record), 'report.html')}`);
    return;
  }
  const outputs = outputsOf(
    records,
    (record) => join(folderOf(session, record), 'report.json'),
    (record) => planPath(record, inputs.outputDirectory),
  );
  setOutputs(outputs);
  tellDropped(outputs, inputs.variables, secrets, log);
  if (inputs.summary) await writeSummary(renderSummaries(clean));
  core.saveState('told', 'true');
}

/** Appends to the job summary; does nothing where the runner gave no file for it. */
export async function writeSummary(markdown: string): Promise<void> {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${markdown}\n`);
}

/** An error before any target was opened: annotations, and a summary that says so. */
async function reportEarly(cause: unknown, log: Log, secrets: Secrets, github: boolean): Promise<void> {
  const errors = errorsOf(cause);
  for (const error of errors) {
    log.annotate({
      level: 'error',
      title: error.code,
      message: explanation(error),
      place: error.place,
    });
  }
  if (!github) return;
  setOutputs({ result: 'failed', changed: 'false', targets: '[]' });
  await writeSummary(
    `## ❌ Nothing was started\n\n${errors.map(({ message, hint }) => markdownBlock(secrets.hide([message, hint ?? ''].join('\n').trim()).split('\n'))).join('\n\n')}`,
  );
  core.saveState('told', 'true');
  core.saveState('published', 'true');
}
