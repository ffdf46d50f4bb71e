/**
 * A health snapshot: what is measured before an upgrade and again after it. Bounded in size, whatever the database
 * holds: lists are cut, and say so. Sizes are bytes, times are ISO 8601 in UTC, latencies are milliseconds.
 * A part that could not be measured is null, never empty; `missing` says why.
 */
import { z } from 'zod';

const text = z.string();
const count = z.number();

const databaseSchema = z.strictObject({
  name: text,
  bytes: count.nullable(),
  objects: z
    .array(z.strictObject({ schema: text, kind: text, count }))
    .nullable()
    .meta({
      description: 'Relations, routines, types, triggers, policies and constraints by schema and kind',
    }),
  grants: z
    .strictObject({
      objects: count.meta({ description: 'Objects and default privileges with grants of their own' }),
      hash: text.meta({ description: 'md5 over all of them in a fixed order' }),
    })
    .nullable(),
  extensions: z.array(z.strictObject({ name: text, version: text })).nullable(),
  invalid: z.strictObject({ indexes: count, constraints: count }).nullable(),
  sequences: z
    .strictObject({
      count,
      summed: count.meta({ description: 'Sequences in the sum: ascending ones that do not cycle' }),
      sum: text.meta({ description: 'Sum of their last values; exact, so a text' }),
      compared: count.meta({ description: 'Sequences that were compared with the column they fill' }),
      behind: z
        .array(text)
        .meta({ description: 'Sequences that are behind the largest value of their column' }),
    })
    .nullable(),
  tables: z
    .strictObject({
      count,
      bytes: count.meta({ description: 'As of the last vacuum or analyze: pg_class.relpages, with indexes' }),
      rows: count.meta({
        description: 'Estimated: pg_class.reltuples, or what the statistics count as live',
      }),
      largest: z.array(z.strictObject({ name: text, bytes: count, rows: count })),
    })
    .nullable(),
  activity: z
    .strictObject({
      commits: count,
      rollbacks: count,
      blocksHit: count,
      blocksRead: count,
      deadlocks: count,
      since: text.nullable().meta({ description: 'When these counters were last reset' }),
    })
    .nullable(),
});
/** One database of a snapshot. */
export type DatabaseSnapshot = z.infer<typeof databaseSchema>;

/** The whole snapshot. */
export const snapshotSchema = z
  .strictObject({
    at: text,
    durationMs: count,
    versionNum: count.meta({ description: 'server_version_num' }),
    server: z
      .record(text, text)
      .meta({ description: 'What identifies the cluster: system identifier, timeline, checksums, ...' }),
    settings: z
      .record(text, text)
      .nullable()
      .meta({ description: 'Settings that somebody set; texts as a hash, since they may hold secrets' }),
    databases: z.array(databaseSchema),
    connections: z.array(z.strictObject({ state: text, count })).nullable(),
    replication: z
      .array(z.strictObject({ name: text, state: text, sync: text, lagBytes: count.nullable() }))
      .nullable(),
    slots: z
      .array(
        z.strictObject({
          name: text,
          type: text,
          plugin: text.nullable(),
          active: z.boolean(),
          walStatus: text.nullable(),
          retainedBytes: count.nullable(),
        }),
      )
      .nullable(),
    archiver: z.strictObject({ mode: text, archived: count, failed: count, failing: z.boolean() }).nullable(),
    statements: z
      .array(
        z.strictObject({
          key: text.meta({ description: 'md5 of database and normalised text: comparable across majors' }),
          database: text,
          text: text.meta({
            description: 'As pg_stat_statements normalised it, constants are $1, $2, ...; without comments',
          }),
          calls: count,
          totalMs: count,
          rows: count,
        }),
      )
      .nullable()
      .meta({ description: 'The statements that took most time; null where nobody counts them' }),
    log: z
      .strictObject({
        source: text,
        bytes: count.meta({ description: 'How much of the end of the log was read' }),
        from: text
          .nullable()
          .meta({ description: 'Time of the first line that was read, as the log has it' }),
        to: text.nullable().meta({ description: 'Time of the last line that was read, as the log has it' }),
        classes: z.array(
          z.strictObject({
            severity: text,
            state: text.nullable(),
            message: text,
            count,
            last: text.nullable().meta({ description: 'Time of the newest line of this class' }),
          }),
        ),
      })
      .nullable(),
    missing: z
      .array(
        z.strictObject({
          what: text,
          why: text,
          state: text.nullable().meta({ description: 'SQLSTATE where the server refused or failed' }),
        }),
      )
      .meta({ description: 'What could not be measured, and why' }),
  })
  .meta({ description: 'One health snapshot' });
/** The whole snapshot. */
export type Snapshot = z.infer<typeof snapshotSchema>;
