/** The record's part about rehearsals. Durations are milliseconds, sizes bytes. */
import { z } from 'zod';

const text = z.string();
const time = z.iso.datetime();

const stageSchema = z.strictObject({
  id: z.enum(['backup', 'scratch', 'restore', 'advice', 'checks', 'health', 'smoke', 'compare', 'restart']),
  title: text,
  state: z.enum(['passed', 'failed', 'skipped']),
  durationMs: z.number().int(),
  output: z.array(text),
});
/** One stage of a rehearsal. */
export type RehearsalStage = z.infer<typeof stageSchema>;

/** How a rehearsal went. */
export const rehearsalSchema = z.strictObject({
  passed: z.boolean(),
  ranOn: text.nullable().meta({ description: 'Version of the scratch server' }),
  exact: z.boolean().meta({ description: 'Whether that is exactly the wanted version' }),
  scratch: z
    .strictObject({
      kind: z.enum(['embedded', 'docker', 'binaries']),
      where: text.meta({ description: 'Folder of its programs, or its image' }),
      isolation: z.array(text).meta({ description: 'How it was kept from acting on anything' }),
    })
    .nullable(),
  backup: z
    .strictObject({
      from: z.enum(['fresh', 'path', 'latest-artifact']),
      location: text,
      taken: time,
      server: text.meta({ description: 'Version that the backup was taken of' }),
      manifestSha256: text,
    })
    .nullable(),
  stages: z.array(stageSchema),
  measures: z.strictObject({
    restoreMs: z.number().int().nullable().meta({ description: 'Everything, indexes included' }),
    indexBuildMs: z.number().int().nullable().meta({ description: 'Indexes and constraints alone' }),
    adviceMs: z.number().int().nullable(),
    stopMs: z.number().int().nullable(),
    startMs: z.number().int().nullable(),
    expectedDowntimeMs: z.number().int().nullable(),
    downtimeBasis: text,
    dumpBytes: z.number().int().nullable(),
    restoredBytes: z.number().int().nullable(),
    neededBytes: z.number().int().nullable().meta({ description: 'Disk for backup and copy together' }),
  }),
  databases: z.array(
    z.strictObject({
      name: text,
      restoreMs: z.number().int(),
      indexBuildMs: z.number().int(),
      bytes: z.number().int().nullable(),
    }),
  ),
});
/** How a rehearsal went. */
export type RehearsalRecord = z.infer<typeof rehearsalSchema>;

/** What is remembered of an earlier rehearsal. */
export const rehearsedSchema = z.strictObject({
  at: time,
  passed: z.boolean(),
  from: text,
  wanted: text,
  exact: z.boolean(),
  run: text.meta({ description: 'Who ran it' }),
  expectedDowntimeMs: z.number().int().nullable(),
  restoreMs: z.number().int().nullable(),
  failure: text.nullable().meta({ description: 'First thing that failed' }),
  taken: time.nullable().meta({ description: 'When its backup was taken; null where it came to none' }),
  basis: text.meta({
    description: 'sha256 over what it was judged by: own SQL, smoke queries, checks switched off',
  }),
});
/** What is remembered of an earlier rehearsal. */
export type Rehearsed = z.infer<typeof rehearsedSchema>;
