/** The record's part about releases: the lines that they stand on, their CVEs, and what their notes ask for. */
import { z } from 'zod';

const text = z.string();

const releaseLineSchema = z.strictObject({
  major: z.number().int(),
  endOfLife: text.nullable().meta({ description: 'Last day with fixes, YYYY-MM-DD' }),
  daysToEndOfLife: z.number().int().nullable().meta({ description: 'Negative once it is past' }),
  newest: text.nullable().meta({ description: 'Newest release that may be a target' }),
  releases: z.array(
    z.strictObject({ version: text, date: text.nullable(), avoid: z.boolean(), inferred: z.boolean() }),
  ),
});
/** The releases of one major, oldest first. */
export type ReleaseLine = z.infer<typeof releaseLineSchema>;

/** What the record holds of the releases on the way. */
export const releaseSchema = z.strictObject({
  asOf: text.meta({ description: 'Day of the table of releases; what came later is not in it' }),
  lines: z.array(releaseLineSchema).meta({ description: 'Of the running major, and of another wanted one' }),
  behind: z
    .number()
    .int()
    .meta({ description: 'Releases between the running one and the newest of its major' }),
  daysBehind: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'Days from the release of the running one to that of the newest of its major' }),
  cves: z
    .array(
      z.strictObject({ id: text, score: z.number().nullable(), component: text.nullable(), fixedIn: text }),
    )
    .meta({ description: 'Fixed between the running and the wanted version; highest score first' }),
  cvesUnknown: z.array(text).meta({ description: 'Releases in between whose CVEs nobody has listed yet' }),
  mustRead: z
    .array(z.strictObject({ version: text, why: text, link: text }))
    .meta({ description: 'Releases in between whose notes a person must read' }),
});
/** What is known of the releases between the running and the wanted version. */
export type ReleaseRecord = z.infer<typeof releaseSchema>;

/** What the record holds of one piece of advice. */
export const adviceSchema = z.strictObject({
  id: text,
  title: text,
  fixedIn: text.meta({ description: 'The release whose notes ask for it' }),
  why: text,
  todo: text,
  timing: z.enum(['before', 'after', 'either', 'order']),
  certainty: z.enum(['exact', 'candidates', 'cannot-be-seen']),
  state: z.enum(['applies', 'does-not-apply', 'judge', 'skipped', 'error', 'done', 'partly', 'failed']).meta({
    description:
      'judge: it cannot be seen from the database whether it applies; skipped: a right is missing; done, partly, failed: the action carried it out',
  }),
  by: z.enum(['action', 'person']).meta({ description: 'Who carries it out in this run' }),
  objects: z.array(
    z.strictObject({
      database: text.nullable().meta({ description: 'Null for the whole cluster' }),
      name: text.meta({ description: 'Qualified and quoted as SQL needs it' }),
      sql: text.nullable().meta({ description: 'The statement that mends it; null where there is none' }),
      detail: text.nullable(),
      state: z.enum(['found', 'done', 'failed', 'left']),
    }),
  ),
  total: z.number().int().meta({ description: 'Objects found; the list may be cut' }),
  seen: z.array(text).meta({ description: 'Errors, missing rights' }),
  link: text.meta({ description: 'The release notes' }),
});
/** One piece of release advice, and what came of it. */
export type AdviceRecord = z.infer<typeof adviceSchema>;
