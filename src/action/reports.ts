/** The reports of a run: written, uploaded, delivered, and shown in the job summary. */
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as core from '@actions/core';
import { messageOf } from '../errors.ts';
import { hideIn } from '../process/secrets.ts';
import { makeOwnFolder, writeWhole } from '../process/whole-file.ts';
import { renderHtml } from '../report/html.ts';
import type { UpgradeRecord } from '../report/record.ts';
import { renderSummaries } from '../report/summary.ts';
import { saveRecord } from '../upgrade/recorder.ts';
import { uploadDump, uploadReports } from './artifacts.ts';
import { deliverRecord } from './deliver.ts';
import { planFileOf } from './plan-file.ts';
import type { Session } from './session.ts';

/** Folder of a target's reports. */
export function folderOf(session: Session, record: UpgradeRecord): string {
  return join(session.inputs.outputDirectory, record.target.name);
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

/** Appends to the job summary; does nothing where the runner gave no file for it. */
export async function writeSummary(markdown: string): Promise<void> {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${markdown}\n`);
}
