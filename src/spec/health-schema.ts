/** Files of the user's own SQL in the spec. */
import { z } from 'zod';
import { whole } from './parts.ts';

const sqlFile = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+\.sql$/, 'write the path of an .sql file in the repository')
  .meta({
    description: 'Path of a file with SQL, from the root of the repository',
    examples: ['ops/health.sql'],
  });

const healthFile = z.strictObject({
  file: sqlFile,
  database: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Where it is asked; default: the database of the connection' }),
  'read-only': z.boolean().default(true).meta({ description: 'false: its statements may write' }),
  timeout: whole(1, 3600).default(30).meta({ description: 'Seconds for one statement' }),
});

/** One file of the user's own health SQL. */
export type HealthFile = z.infer<typeof healthFile>;

/** An entry of `health` or `rehearsal.smoke`. */
export const healthSchema = z.union(
  [sqlFile.transform((file): HealthFile => ({ file, 'read-only': true, timeout: 30 })), healthFile],
  {
    error: ({ input }) =>
      typeof input === 'string'
        ? 'write the path of an .sql file in the repository'
        : 'write a path, or { file, database, read-only, timeout }',
  },
);
