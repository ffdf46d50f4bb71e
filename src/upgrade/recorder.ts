/** The record while it grows: kept on disk after every event, so that a killed run leaves what it knew. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { UpgradeError } from '../errors.ts';
import { hideIn, type Secrets } from '../process/secrets.ts';
import { makeOwnFolder, writeWhole } from '../process/whole-file.ts';
import type { Mode, StepRecord, UpgradeRecord } from '../report/record.ts';

/** The record and its only writers. */
export interface Recorder {
  /** Changed freely; `save` afterwards. */
  record: UpgradeRecord;
  file: string;
  save(): void;
  startStep(id: string, title: string): StepRecord;
  endStep(step: StepRecord, state: StepRecord['state']): void;
  issue(error: UpgradeError, resolution: string): void;
  /** @param why why it was not delivered; null where it was */
  tell(to: string, what: string, why?: string | null): void;
}

/** What a record begins with. */
export interface RecorderOptions {
  name: string;
  environment: string;
  place: string;
  wanted: string;
  mode: Mode;
  identity: UpgradeRecord['run'];
  version: string;
  folder: string;
  secrets: Secrets;
  now: () => Date;
}

/** A record of a run that has just begun. */
export function emptyRecord(options: Omit<RecorderOptions, 'folder' | 'secrets'>): UpgradeRecord {
  const { identity, name, now } = options;
  const started = now().toISOString();
  return {
    version: 1,
    id: identity
      ? `${identity.repository}/${identity.runId}/${identity.attempt}/${name}/${options.mode}`
      : `${hostname()}/${started}/${name}/${options.mode}`,
    action: { name: 'postgres-upgrade-action', version: options.version },
    mode: options.mode,
    target: { name, environment: options.environment, spec: options.place, systemIdentifier: null },
    run: identity,
    host: hostname(),
    started,
    finished: null,
    result: null,
    verdict: 'The run has not ended yet.',
    state: 'Not known yet.',
    next: null,
    changed: false,
    versions: { from: null, wanted: options.wanted, now: null },
    plan: null,
    steps: [],
    checks: [],
    facts: [],
    health: { before: null, after: null },
    queries: [],
    extensions: [],
    release: null,
    advice: [],
    backup: null,
    downtime: null,
    performance: null,
    watch: null,
    switchedOff: [],
    issues: [],
    communication: [],
    overrides: [],
    change: null,
    rehearsal: null,
    rehearsed: null,
    artifacts: [],
  };
}

/** @throws where the folder cannot be made: before anything is done */
export function createRecorder(options: RecorderOptions): Recorder {
  const { folder, secrets, now } = options;
  const record = emptyRecord(options);
  makeOwnFolder(folder);
  const file = join(folder, 'report.json');
  saveRecord(record, file, secrets);
  const save = (): void => {
    try {
      saveRecord(record, file, secrets);
    } catch {
      // A disk that fills up under the reports must not stop an upgrade half way; the last write tells of it.
    }
  };
  return recorderOn(record, file, save, now);
}

/** A recorder on a record that somebody else keeps. */
export function recorderOn(record: UpgradeRecord, file: string, save: () => void, now: () => Date): Recorder {
  const at = (): string => now().toISOString();
  return {
    record,
    file,
    save,
    startStep(id, title) {
      const step: StepRecord = { id, title, state: 'running', started: at(), finished: null, output: [] };
      record.steps.push(step);
      save();
      return step;
    },
    endStep(step, state) {
      step.state = state;
      step.finished = at();
      save();
    },
    issue(error, resolution) {
      record.issues.push({
        at: at(),
        code: error.code,
        what: error.message,
        hint: error.hint ?? null,
        resolution,
      });
      save();
    },
    tell(to, what, why = null) {
      record.communication.push({ at: at(), to, what, delivered: why === null, why });
      save();
    },
  };
}

/** Writes the record whole or not at all, without secrets. */
export function saveRecord(record: UpgradeRecord, file: string, secrets: Secrets): void {
  writeWhole(file, `${JSON.stringify(hideIn(record, secrets), null, 1)}\n`);
}
