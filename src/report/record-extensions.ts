/** What the record says of each extension that the spec names, database by database. */
import { z } from 'zod';

const text = z.string();

/** An extension at one moment, as its database tells. */
export const extensionStateSchema = z.strictObject({
  version: text.meta({ description: 'extversion in pg_extension: what its objects are' }),
  schema: text,
  own: text.nullable().meta({ description: 'What version-sql answered; null where there is none' }),
  errors: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'What errors-sql answered; null where there is none' }),
  tables: z
    .array(z.strictObject({ name: text, rows: z.number().int() }))
    .meta({ description: 'Its own tables and their rows, which are counted up to a million' }),
});
/** An extension at one moment. */
export type ExtensionState = z.infer<typeof extensionStateSchema>;

/** One extension in one database, before and after. */
export const extensionRecordSchema = z.strictObject({
  extension: text,
  database: text,
  before: extensionStateSchema.nullable().meta({ description: 'Null where it was not looked at' }),
  after: extensionStateSchema.nullable(),
  done: z.array(text).meta({ description: 'What was done to it, in order' }),
  faults: z.array(text).meta({ description: 'What is wrong with it; empty where nothing is' }),
});
/** One extension in one database. */
export type ExtensionRecord = z.infer<typeof extensionRecordSchema>;

/** An extension as it was right before the change: what the journal keeps. */
export interface ExtensionBefore extends ExtensionState {
  extension: string;
  database: string;
}

/** An update that this upgrade made, or was about to make, and that its way back takes back. */
export interface ExtensionUpdate {
  extension: string;
  database: string;
  from: string;
  to: string;
  /** Schemas that hold its objects: their counts may change with it. */
  schemas: string[];
}
