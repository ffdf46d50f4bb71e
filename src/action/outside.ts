/** What GitHub keeps of earlier runs: plans, records and dumps among the artifacts. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UpgradeError } from '../errors.ts';
import type { Log } from '../process/log.ts';
import type { Secrets } from '../process/secrets.ts';
import { type PlanFile, planFileSchema } from '../report/plan-file.ts';
import { recordSchema, type UpgradeRecord } from '../report/record.ts';
import type { Outside, UploadedDump } from '../upgrade/context.ts';
import { digestOf } from '../upgrade/digest.ts';
import { recordOutcome } from '../upgrade/evidence.ts';
import { type Api, openApi, whyNot } from './api.ts';
import {
  artifactsNamed,
  homeOf,
  type IsTrusted,
  type Recent,
  recentArtifacts,
  type StoredArtifact,
  trustIn,
} from './artifact-store.ts';
import { download } from './download.ts';
import { onGitHub } from './github.ts';
import type { Inputs } from './inputs.ts';
import { textsOfRun } from './run-artifacts.ts';

/** Bytes. */
const largestPlan = 8 * 1024 ** 2;
const largestRecord = 64 * 1024 ** 2;
/** Plans and records that are downloaded before the search is given up. */
const most = 20;

/** Milliseconds for which the list of recent artifacts is good. */
const fresh = 30_000;

/** The API, and what several questions of one run share. */
interface Store {
  api: Api;
  trust(): Promise<IsTrusted>;
  recent(): Promise<Recent>;
}

type Open = () => Promise<Store | null>;

/** Null outside GitHub. */
export function outsideOf(inputs: Inputs, log: Log, _secrets: Secrets): Outside | null {
  if (!onGitHub(process.env)) return null;
  // One client for all questions, loaded with the first.
  let store: Promise<Store | null> | undefined;
  const open: Open = () => {
    store ??= openApi(inputs.githubToken, process.env).then((api) => api && storeOf(api));
    return store;
  };
  return {
    approvedPlan: (target, digest) => approvedPlan(open, target, digest, log),
    lastRecord: (target) => lastRecord(open, target, log),
    latestDump: (target, folder, signal) => latestDump(open, target, folder, signal),
  };
}

function storeOf(api: Api): Store {
  return {
    api,
    trust: remembered(async () => trustIn(api, await homeOf(api)), Number.POSITIVE_INFINITY),
    recent: remembered(() => recentArtifacts(api), fresh),
  };
}

/** Asks again after a while, and after a failure. */
function remembered<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
  let known: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (!known || performance.now() > until) {
      until = performance.now() + forMs;
      known = ask();
      known.catch(() => {
        known = undefined;
      });
    }
    return known;
  };
}

/** The name of a target's artifact without attempt and suffix. */
function baseOf(target: string, mode: string): string {
  return `postgres-upgrade-${target}-${mode}`;
}

/** Whoever uploaded it: it counts only where what it decides has the digest that was approved. */
async function approvedPlan(open: Open, target: string, digest: string, log: Log): Promise<PlanFile | null> {
  const told = (cause: unknown): void =>
    log.info(`The approved plan was not found: ${whyNot(cause, 'actions: read')}.`);
  const accept = (text: string): PlanFile | null => {
    try {
      const file = planFileSchema.parse(JSON.parse(text));
      return file.target === target && digestOf(file.plan.decision) === digest ? file : null;
    } catch {
      return null;
    }
  };
  try {
    const name = new RegExp(`^${baseOf(target, '(plan|check|rehearse)')}(-\\d+)?\\.plan\\.json$`);
    for (const text of await textsOfRun(name, largestPlan)) {
      const found = accept(text);
      if (found) return found;
    }
  } catch (cause) {
    log.info(`The artifacts of this run could not be read: ${messageOf(cause)}.`);
  }
  try {
    const store = await open();
    if (!store) return null;
    const bases = ['plan', 'check', 'rehearse'].map((mode) => baseOf(target, mode));
    let tried = 0;
    for await (const artifact of artifactsNamed(store.api, await store.recent(), bases, ['plan.json'])) {
      if (!isUsable(artifact, largestPlan)) continue;
      const found = accept(await textOf(store.api, artifact, largestPlan).catch(() => ''));
      if (found) return found;
      tried += 1;
      if (tried >= most) break;
    }
    log.info(`No artifact has a plan of ${target} with the digest ${digest.slice(0, 12)}.`);
  } catch (cause) {
    told(cause);
  }
  return null;
}

/** Of runs on the default branch of this repository only. */
async function lastRecord(open: Open, target: string, log: Log): Promise<UpgradeRecord | null> {
  try {
    const store = await open();
    if (!store) return null;
    const isTrusted = await store.trust();
    const bases = ['upgrade', 'resume', 'rollback'].map((mode) => baseOf(target, mode));
    let tried = 0;
    for await (const artifact of artifactsNamed(store.api, await store.recent(), bases, ['report.json'])) {
      if (!isUsable(artifact, largestRecord) || !(await isTrusted(artifact))) continue;
      const record = readRecord(await textOf(store.api, artifact, largestRecord), target);
      // One that found nothing to do, or was refused, says nothing: it would hide the upgrade before it.
      if (record && recordOutcome(record)) return record;
      if (!record)
        log.info(
          `The record ${artifact.name} of run ${artifact.run?.id} is of another version: the one before it counts.`,
        );
      tried += 1;
      if (tried >= most) break;
    }
  } catch (cause) {
    const why = cause instanceof UpgradeError ? cause.message : `${whyNot(cause, 'actions: read')}.`;
    log.info(`Earlier records of ${target} could not be read: ${why}`);
  }
  return null;
}

function readRecord(text: string, target: string): UpgradeRecord | null {
  try {
    const record = recordSchema.parse(JSON.parse(text));
    return record.target.name === target && record.finished !== null ? record : null;
  } catch {
    return null;
  }
}

function isUsable({ expired, bytes }: StoredArtifact, limitBytes: number): boolean {
  return !expired && bytes <= limitBytes;
}

async function textOf(api: Api, artifact: StoredArtifact, limitBytes: number): Promise<string> {
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'artifacts-'));
  try {
    return await readFile(
      await download(api, artifact, folder, limitBytes, AbortSignal.timeout(60_000)),
      'utf8',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function latestDump(
  open: Open,
  target: string,
  folder: string,
  signal: AbortSignal,
): Promise<UploadedDump> {
  const missing = (why: string): UpgradeError =>
    new UpgradeError('artifact-missing', `There is no uploaded dump of ${target}: ${why}.`, {
      hint: 'A run with mode upgrade or rehearse and artifacts: all uploads one; on the default branch of this repository. Or rehearse a fresh backup (from: fresh).',
      docs: 'artifacts.md#what-is-read-again',
    });
  const store = await open();
  if (!store) throw missing('there is no github-token to look for it with');
  const newest = await newestDump(store, target).catch((cause: unknown) => {
    throw missing(whyNot(cause, 'actions: read'));
  });
  if (typeof newest === 'string') throw missing(newest);
  return {
    file: await download(store.api, newest, folder, Number.POSITIVE_INFINITY, signal),
    where: `${newest.name} of run ${newest.run?.id}`,
    encrypted: newest.name.endsWith('.age'),
  };
}

/** Of runs on the default branch of this repository only; why there is none, where there is none. */
async function newestDump({ api, trust, recent }: Store, target: string): Promise<StoredArtifact | string> {
  const bases = ['upgrade', 'rehearse'].map((mode) => baseOf(target, mode));
  const isTrusted = await trust();
  let [expired, foreign] = [0, 0];
  for await (const artifact of artifactsNamed(api, await recent(), bases, ['dump.tar.age', 'dump.tar'])) {
    // Nobody is asked about what cannot be had any more.
    if (artifact.expired) expired += 1;
    else if (!(await isTrusted(artifact))) foreign += 1;
    else return artifact;
  }
  if (expired > 0) return `${expired} that there were have expired`;
  return foreign > 0
    ? 'those that there are come from other branches or repositories'
    : 'no run uploaded one';
}
