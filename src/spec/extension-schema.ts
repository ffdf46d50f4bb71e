/** The section `extensions` of the spec. */
import { z } from 'zod';
import { healthSchema } from './health-schema.ts';

const sql = z.string().min(1).max(10_000);

/** One extension. */
export const extensionSchema = z.strictObject({
  database: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Where it is looked at; default: every database that has it' }),
  version: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Version it must have afterwards; default: the one from before' }),
  'version-sql': sql.optional().meta({
    description: "The extension's own version, as one value; read only",
    examples: ['SELECT pg_tviews_version()'],
  }),
  'errors-sql': sql.optional().meta({
    description: 'How many of its objects are in error, as one number; read only. Must not grow',
    examples: ['SELECT count(*) FROM pg_tviews_metadata WHERE last_error IS NOT NULL'],
  }),
  smoke: z.array(healthSchema).default([]).meta({
    description: 'SQL files that must pass afterwards, by the rules of `health`',
  }),
  reinstall: z.enum(['never', 'if-needed']).default('never').meta({
    description:
      'if-needed: where it has the wrong version or does not work, update it, else load it anew; never by dropping what is yours',
  }),
});

/** The section `extensions`, by the extension's name. */
export const extensionsSchema = z.record(z.string().min(1).max(63), extensionSchema);

/** What is asked of one extension. */
export type ExtensionSpec = z.infer<typeof extensionSchema>;
