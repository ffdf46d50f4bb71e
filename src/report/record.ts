/**
 * The upgrade record: one JSON document from which every report renders.
 * Times are ISO 8601 in UTC, durations are milliseconds, sizes are bytes, versions are PostgreSQL's own.
 * `schema/upgrade-record.schema.json` is generated from here.
 */
import { z } from 'zod';
import { changeSchema } from './record-change.ts';
import { extensionRecordSchema } from './record-extensions.ts';
import { rehearsalSchema, rehearsedSchema } from './record-rehearsal.ts';
import { adviceSchema, releaseSchema } from './record-release.ts';
import { watchRecordSchema } from './record-watch.ts';
import { snapshotSchema } from './snapshot.ts';

const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC' });
const text = z.string();

/** How a run ended. */
export const resultSchema = z.enum([
  'success',
  'skipped',
  'paused',
  'refused',
  'rolled-back',
  'failed',
  'cancelled',
]);
/** How a run ended; null in a record while it runs. */
export type Result = z.infer<typeof resultSchema>;

/** What was asked for. */
export const modeSchema = z.enum(['plan', 'check', 'rehearse', 'upgrade', 'resume', 'rollback']);
/** What was asked for. */
export type Mode = z.infer<typeof modeSchema>;

/**
 * Risk classes, the least first: nothing changes; a minor version; another distribution of the image; a new major; a
 * version that its project warns of.
 */
export const riskClasses = ['none', 'minor', 'distribution', 'major', 'known-bad'] as const;
/** How much an upgrade can go wrong. */
export type RiskClass = (typeof riskClasses)[number];

/** What a spec can demand before an upgrade, and a person override by name. */
export const gates = ['window', 'wave', 'rehearsal'] as const;
/** What a spec can demand before an upgrade. */
export type Gate = (typeof gates)[number];

const plannedStepSchema = z.strictObject({
  id: text,
  title: text,
  does: z.array(text).meta({ description: 'What it will run, in words or as statements and commands' }),
  undo: text.nullable().meta({ description: 'What its undo does; null where there is nothing to undo' }),
  breaks: text.nullable().meta({ description: 'What clients or applications notice; null for nothing' }),
  risks: z.array(text).meta({ description: 'What it can break, and what happens then' }),
  interruptible: z.boolean(),
});
/** A step as planned: data only, part of the digest. */
export type PlannedStep = z.infer<typeof plannedStepSchema>;

/** A plan. */
export const planSchema = z.strictObject({
  digest: text.meta({ description: 'sha256 over what matters to the decision; never times, sizes or lag' }),
  route: text,
  from: text,
  wanted: text,
  steps: z.array(plannedStepSchema),
  notes: z.array(text).meta({ description: 'What the reader should know before approving' }),
  decision: z
    .record(text, text)
    .meta({ description: 'What the digest covers: the path of each value, and the value as JSON' }),
  risk: z.strictObject({
    class: z.enum(riskClasses),
    reasons: z.array(text),
  }),
  downtime: z.strictObject({
    expectedMs: z.number().nullable().meta({ description: 'Null where nobody measured it yet' }),
    basis: text.meta({ description: 'Where the number comes from, or why there is none' }),
  }),
});
/** The plan. */
export type PlanRecord = z.infer<typeof planSchema>;

const stepSchema = z.strictObject({
  id: text,
  title: text,
  state: z.enum([
    'running',
    'done',
    'already-done',
    'paused',
    'failed',
    'interrupted',
    'undone',
    'undo-failed',
  ]),
  started: time,
  finished: time.nullable(),
  output: z.array(text),
});
/** A step as it went. */
export type StepRecord = z.infer<typeof stepSchema>;

const checkSchema = z.strictObject({
  id: text,
  title: text,
  when: z.enum(['before', 'after']),
  status: z.enum(['passed', 'info', 'warning', 'blocked', 'error', 'skipped', 'disabled']),
  seen: z.array(text),
  fix: text.nullable(),
  docs: text,
});

const factSchema = z.strictObject({
  group: text.meta({
    description: 'What kind of fact it is, for people: settings, objects, statements, ...',
  }),
  name: text,
  before: text.nullable(),
  after: text.nullable(),
  verdict: z.enum(['equal', 'expected', 'unexpected', 'alert', 'not-compared']).meta({
    description:
      'unexpected fails the validation; alert is told and fails nothing; not-compared says why in `why`',
  }),
  why: text.nullable(),
  rule: text.meta({ description: 'How it may change, in words' }),
  measure: z
    .strictObject({
      before: z.number(),
      after: z.number(),
      unit: z.enum(['bytes', 'rows', 'count', 'ms', 'share', 'per-second']),
    })
    .nullable()
    .meta({ description: 'The same as numbers, where they are numbers that a bar can show' }),
});
/** One fact before and after. */
export type FactRecord = z.infer<typeof factSchema>;

const querySchema = z.strictObject({
  file: text,
  line: z.number().int().meta({ description: 'Where the statement begins in the file' }),
  when: z.enum(['before', 'after']),
  database: text,
  sql: text,
  columns: z.array(text),
  rows: z.array(z.array(text.nullable())).meta({ description: 'The first rows; texts are cut' }),
  total: z.number().int().meta({ description: 'Rows of the result' }),
  durationMs: z.number().int(),
  status: z.enum(['passed', 'blocked', 'error']),
  why: text.nullable(),
});
/** One statement of the user's own health SQL, and its result. */
export type QueryRecord = z.infer<typeof querySchema>;

const proofSchema = z.strictObject({
  method: z.enum(['restore', 'checksum', 'none']),
  verdict: z.enum(['proved', 'files-intact', 'not-proved', 'failed']),
  restoredInto: text.nullable().meta({ description: 'Version of the scratch server' }),
  databases: z.number().int(),
  tables: z.number().int(),
  rows: z.number().int().meta({ description: 'Rows whose content was compared by fingerprint' }),
  sequences: z.number().int(),
  largeObjects: z.number().int(),
  objects: z.number().int().meta({ description: 'Catalog objects compared one by one' }),
  notCompared: z.array(text).meta({ description: 'What the comparison left out, and why' }),
  differences: z.array(text),
  durationMs: z.number().int(),
});
/** What a proof looked at, and what came of it. */
export type ProofRecord = z.infer<typeof proofSchema>;

const backupSchema = z.strictObject({
  location: text,
  host: text,
  databases: z.array(
    z.strictObject({
      name: text,
      bytes: z.number().int(),
      sourceBytes: z.number().int(),
      durationMs: z.number().int(),
    }),
  ),
  bytes: z.number().int(),
  files: z.number().int(),
  manifestSha256: text,
  clients: text.meta({ description: 'The pg_dump that was used: path and version' }),
  started: time,
  finished: time,
  keepDays: z.number().int(),
  proof: proofSchema,
});
/** The backup of a run. */
export type BackupRecord = z.infer<typeof backupSchema>;

const downtimeSchema = z.strictObject({
  longestGapMs: z
    .number()
    .meta({ description: 'Longest time between two transactions that a client could commit' }),
  firstFailure: time.nullable(),
  firstSuccess: time.nullable().meta({ description: 'First commit after the first failure' }),
  attempts: z.number().int(),
  failures: z.number().int(),
  from: time,
  to: time,
  everyMs: z.number(),
});
/** What the measuring client saw. */
export type DowntimeRecord = z.infer<typeof downtimeSchema>;

const latencySchema = z.strictObject({
  transactions: z.number().int(),
  medianMs: z.number(),
  p95Ms: z.number(),
});

/** The whole document. */
export const recordSchema = z
  .strictObject({
    version: z.literal(1),
    id: text.meta({ description: 'Unique for a run and target' }),
    action: z.strictObject({ name: text, version: text }),
    mode: modeSchema,
    target: z.strictObject({
      name: text,
      environment: text,
      spec: text.meta({ description: 'File and line of the target in the spec' }),
      systemIdentifier: text.nullable(),
    }),
    run: z
      .strictObject({
        repository: text,
        actor: text,
        event: text,
        workflow: text,
        job: text,
        runId: text,
        attempt: z.number().int(),
        ref: text,
        commit: text,
        url: text,
        runner: text,
      })
      .nullable()
      .meta({ description: 'Null outside GitHub' }),
    host: text,
    started: time,
    finished: time.nullable(),
    result: resultSchema.nullable().meta({ description: 'Null while it runs' }),
    verdict: text.meta({ description: 'One sentence: what happened' }),
    state: text.meta({ description: 'What the database is in now' }),
    next: text.nullable().meta({ description: 'What to do next, exactly; null for nothing' }),
    changed: z.boolean(),
    versions: z.strictObject({ from: text.nullable(), wanted: text, now: text.nullable() }),
    plan: planSchema.nullable(),
    steps: z.array(stepSchema),
    checks: z.array(checkSchema),
    facts: z.array(factSchema).meta({ description: 'Before and after, compared: the health diff' }),
    health: z
      .strictObject({ before: snapshotSchema.nullable(), after: snapshotSchema.nullable() })
      .meta({ description: 'The health snapshots themselves' }),
    queries: z.array(querySchema).meta({ description: "The user's own health SQL, before and after" }),
    extensions: z
      .array(extensionRecordSchema)
      .meta({ description: 'Each extension that the spec names, in each database' }),
    release: releaseSchema.nullable(),
    advice: z.array(adviceSchema).meta({ description: 'What the release notes ask of this database' }),
    backup: backupSchema.nullable(),
    downtime: downtimeSchema.nullable(),
    performance: z
      .strictObject({ before: latencySchema, after: latencySchema, assessment: text })
      .nullable()
      .meta({ description: "Latency of the probe's own transaction, in milliseconds" }),
    watch: watchRecordSchema.nullable().meta({
      description: 'Health of applications, and how the upgraded target was observed',
    }),
    switchedOff: z
      .array(z.strictObject({ id: text, what: text, at: time, putBackAt: time.nullable() }))
      .meta({ description: 'What the run switched off, and when it was put back' }),
    issues: z.array(
      z.strictObject({ at: time, code: text, what: text, hint: text.nullable(), resolution: text }),
    ),
    communication: z.array(
      z.strictObject({
        at: time,
        to: text,
        what: text,
        delivered: z.boolean(),
        why: text.nullable().meta({ description: 'Why it was not delivered; null where it was' }),
      }),
    ),
    overrides: z
      .array(z.strictObject({ gate: z.enum(gates), by: text, what: text }))
      .meta({ description: 'Refusals that a person overrode by name' }),
    change: changeSchema.nullable().meta({ description: 'Of a pull request or push: what it changes here' }),
    rehearsal: rehearsalSchema.nullable().meta({ description: 'Mode rehearse: how it went' }),
    rehearsed: rehearsedSchema
      .nullable()
      .meta({ description: 'The newest earlier rehearsal of the same versions' }),
    artifacts: z.array(
      z.strictObject({
        name: text,
        id: z.number().int().nullable(),
        bytes: z.number().int(),
        sha256: text,
        state: z.enum(['uploaded', 'kept', 'failed']),
        why: text.nullable(),
      }),
    ),
  })
  .meta({
    title: 'PostgreSQL upgrade record',
    description: 'What one run of Postgres Upgrade did to one target',
  });

/** The whole document. */
export type UpgradeRecord = z.infer<typeof recordSchema>;
