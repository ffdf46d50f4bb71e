/** What the record holds of the applications' health and of the time in which the upgraded target was observed. */
import { z } from 'zod';

const time = z.iso.datetime();
const text = z.string();
const count = z.number().int();

const applicationSchema = z.strictObject({
  name: text,
  health: text.meta({ description: 'The address that was asked' }),
  before: z.enum(['well', 'unwell', 'not-asked']).meta({
    description: 'Before anything was changed; one that is unwell takes no upgrade back',
  }),
  beforeSeen: text.nullable().meta({ description: 'The answer then, as `HTTP 503`' }),
  looks: count,
  failures: count,
  last: text.nullable().meta({ description: 'The last answer while it was observed' }),
});
/** One application with a health address. */
export type WatchedApplication = z.infer<typeof applicationSchema>;

const extensionSchema = z.strictObject({
  database: text,
  extension: text,
  before: z
    .number()
    .meta({ description: 'Errors before; where nobody counted them, those of the first look' }),
  most: z.number().meta({ description: 'Errors at most while it was observed' }),
});

const observedSchema = z.strictObject({
  from: time,
  to: time.nullable().meta({ description: 'Null while it goes on, and where the run was killed' }),
  forMs: z.number().meta({ description: 'How long it was to be' }),
  everyMs: z.number(),
  looks: count,
  connections: z.strictObject({
    attempts: count,
    failures: count,
    allowed: z.number().meta({ description: 'Share that may fail' }),
    last: text.nullable().meta({ description: 'Why the last one failed that did' }),
  }),
  extensions: z.array(extensionSchema),
  log: text.nullable().meta({ description: "The server's log that was read; null where it cannot be" }),
  limit: z
    .strictObject({
      name: z.enum(['connections', 'version', 'applications', 'errors', 'log']),
      what: text,
      since: time.meta({ description: 'When it was first seen to fail' }),
    })
    .nullable()
    .meta({ description: 'The limit that was crossed' }),
});
/** How the upgraded target was observed. */
export type ObservedRecord = z.infer<typeof observedSchema>;

/** Applications and watch. */
export const watchRecordSchema = z.strictObject({
  applications: z.array(applicationSchema),
  observed: observedSchema.nullable().meta({ description: 'Null where the run did not get there' }),
});
/** Applications and watch. */
export type WatchRecord = z.infer<typeof watchRecordSchema>;
