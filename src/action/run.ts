import { join } from 'node:path';
import * as core from '@actions/core';
import { errorsOf, explanation } from '../errors.ts';
import type { Log } from '../process/log.ts';
import { hideIn, type Secrets } from '../process/secrets.ts';
import { writeWhole } from '../process/whole-file.ts';
import { markdownBlock } from '../report/escape.ts';
import { renderPlain } from '../report/plain.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { renderSummaries } from '../report/summary.ts';
import type { LoadedTarget } from '../spec/load.ts';
import { looksOnly } from '../upgrade/context.ts';
import { runTarget } from '../upgrade/run-target.ts';
import { readChanges } from './changes.ts';
import { tellDropped } from './dropped-outputs.ts';
import { assertDumpAllowed } from './dump-consent.ts';
import { assertMerged, visibility } from './github.ts';
import { listTargets } from './list.ts';
import { keepManifests } from './manifests.ts';
import { exitCode, outputsOf, setOutputs } from './outputs.ts';
import { planPath } from './plan-file.ts';
import { folderOf, publish, writeReports, writeSummary } from './reports.ts';
import { openLog, openSession, type Session } from './session.ts';
import { tellGitHub } from './tell-github.ts';

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

/** Keeps the spec for the post step. */
function keepSpec({ inputs, specText }: Session): string {
  const copy = join(inputs.outputDirectory, 'spec.yaml');
  writeWhole(copy, specText);
  return copy;
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
