/** A run on an environment in memory: real steps that write down what happened, in the order in which it did. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Environment,
  EnvironmentFacts,
  LineStore,
  Step,
  StepRun,
} from '../../src/environments/environment.ts';
import type { Log } from '../../src/process/log.ts';
import { createSecrets } from '../../src/process/secrets.ts';
import type { Mode, PlannedStep, PlanRecord } from '../../src/report/record.ts';
import type { ClientProbe } from '../../src/upgrade/client-probe.ts';
import { openJournal } from '../../src/upgrade/journal.ts';
import { createRecorder } from '../../src/upgrade/recorder.ts';
import type { Run } from '../../src/upgrade/target.ts';
import { targetWith } from '../spec/specs.ts';

/** How a step of the world behaves; what is left out is done at once and can be undone. */
export interface Behaviour {
  done?: boolean;
  run?: (step: StepRun) => Promise<void>;
  pause?: string[];
  undo?: ((step: StepRun) => Promise<void>) | null;
}

export interface World extends Disposable {
  run: Run;
  probe: ClientProbe;
  /** Everything that happened, in order. */
  events: string[];
  /** Lines of the journal, as kind and what it is about. */
  journal(): string[];
  facts: EnvironmentFacts;
  stop: AbortController;
  /** What cannot be put back. */
  broken: Set<string>;
  plan(...steps: readonly (string | PlannedStep)[]): PlanRecord;
}

const at = new Date('2026-11-20T18:00:00.000Z');

function memoryStore(lines: string[], events: string[]): LineStore {
  const archives: string[][] = [];
  return {
    where: 'memory',
    read: async () => [...lines],
    append: async (line) => {
      lines.push(line);
    },
    async archive(name) {
      events.push(`archive ${name}`);
      archives.unshift(lines.splice(0));
    },
    prune: async () => {},
    async discard() {
      events.push('discard');
      lines.length = 0;
    },
    readArchives: async () => archives,
  };
}

function quietLog(events: string[]): Log {
  return {
    info: (line) => events.push(`log ${line.trim()}`),
    progress() {},
    annotate: ({ level, title }) => events.push(`${level} ${title}`),
    startGroup: (title) => events.push(`group ${title}`),
    endGroup: () => events.push('end'),
  };
}

export function planned(id: string, changes: Partial<PlannedStep> = {}): PlannedStep {
  return {
    id,
    title: `Title of ${id}`,
    does: [id],
    undo: null,
    breaks: null,
    risks: [],
    interruptible: false,
    ...changes,
  };
}

export interface WorldOptions {
  behaviour?: Readonly<Record<string, Behaviour>>;
  /** More lines of the target's spec. */
  spec?: string;
  mode?: Mode;
  /** Lines that an earlier run left in the journal. */
  journal?: readonly object[];
  serving?: boolean;
}

export async function world(options: WorldOptions = {}): Promise<World> {
  const events: string[] = [];
  const lines = (options.journal ?? []).map((entry) => JSON.stringify({ at: at.toISOString(), ...entry }));
  const stop = new AbortController();
  const broken = new Set<string>();
  const facts: EnvironmentFacts = {
    running: { major: 15, minor: 17 },
    serving: options.serving ?? true,
    details: [],
  };
  const stepNamed = (id: string): Step => {
    const { done = false, run: act, pause, undo } = options.behaviour?.[id] ?? {};
    return {
      isDone: async () => done,
      async run(step) {
        events.push(`run ${id}`);
        await act?.(step);
        return pause ? { state: 'paused', look: pause } : { state: 'done' };
      },
      ...(undo === null
        ? {}
        : {
            async undo(step) {
              events.push(`undo ${id}`);
              await undo?.(step);
            },
          }),
    };
  };
  const environment: Environment = {
    inspect: async () => facts,
    endpoint: async () => settings,
    planRoute: () => ({ name: 'minor-in-place', steps: [], notes: [] }),
    step: stepNamed,
    async putBack({ id, detail }) {
      events.push(`put back ${id}${detail === undefined ? '' : ` ${JSON.stringify(detail)}`}`);
      if (broken.has(id)) throw new Error(`${id} is stuck.`);
    },
    disks: async () => [],
    wantedExtensions: async () => null,
    scratch: () => Promise.reject(new Error('there is no scratch server in memory')),
    home: {
      journal: memoryStore(lines, events),
      rehearsals: memoryStore([], events),
      backups: '/nowhere',
    },
    async close() {},
  };
  const settings = {
    host: '/no/such/folder',
    port: 5432,
    user: 'ops',
    password: undefined,
    database: 'orders',
    ssl: 'disable',
    sslRootCert: undefined,
  } as const;
  const target = targetWith(options.spec ?? '');
  const folder = mkdtempSync(join(tmpdir(), 'pgu-world-'));
  const now = (): Date => at;
  const secrets = createSecrets();
  const context: Run['context'] = {
    mode: options.mode ?? 'upgrade',
    log: quietLog(events),
    secrets,
    signal: stop.signal,
    variables: {},
    now,
    identity: null,
    version: '0.0.0',
    outputDirectory: folder,
    files: new Map(),
    planDigest: '',
    approvedPlan: null,
    rehearseFrom: '',
    overrides: new Set(),
    changes: new Map(),
    onPullRequest: false,
    pullRequestChanges: 'version-only',
    outside: null,
  };
  const run: Run = {
    context,
    target,
    spec: target.spec,
    wanted: { major: 15, minor: 20 },
    environment,
    settings,
    journal: await openJournal(environment.home.journal, now),
    recorder: createRecorder({
      name: 'orders',
      environment: 'embedded',
      place: 'spec.yaml:3',
      wanted: '15.20',
      mode: context.mode,
      identity: null,
      version: '0.0.0',
      folder,
      secrets,
      now,
    }),
    lock: {
      renew: async () => void events.push('renew the lock'),
      release: async () => void events.push('release the lock'),
    },
  };
  return {
    run,
    events,
    facts,
    stop,
    broken,
    probe: {
      start: async () => void (events.includes('probe') || events.push('probe')),
      finish: async () => void events.push('probe ends'),
    },
    journal: () =>
      lines.map((line) => {
        const { kind, id, state, entry, result } = JSON.parse(line) as Record<string, unknown>;
        const name = (entry as { id?: string } | undefined)?.id;
        return [kind, id, name, state, result].filter((part) => part !== undefined).join(' ');
      }),
    plan: (...steps) => ({
      digest: 'd'.repeat(64),
      route: 'minor-in-place',
      from: '15.17',
      wanted: '15.20',
      steps: steps.map((step) => (typeof step === 'string' ? planned(step) : step)),
      notes: [],
      decision: {},
      risk: { class: 'minor', reasons: [] },
      downtime: { expectedMs: null, basis: 'nobody measured it yet' },
    }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** States of the record's steps, as `id state`. */
export function stepStates(run: Run): string[] {
  return run.recorder.record.steps.map(({ id, state }) => `${id} ${state}`);
}

/** Only what was done, without groups and log lines. */
export function deeds(events: readonly string[]): string[] {
  return events.filter((event) => !/^(log|group|end$)/.test(event));
}
