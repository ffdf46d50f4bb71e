/** The record's part about the change that started a run: what a pull request, or a push, changes at this target. */
import { z } from 'zod';

const text = z.string();

/** From the base's spec (or manifest) to the head's; never from the text of a pull request. */
export const changeSchema = z.strictObject({
  event: z.enum(['pull_request', 'push']),
  /** Of the pull request; null for a push. */
  number: z.number().int().nullable(),
  base: text.meta({ description: 'Full commit SHA' }),
  head: text.meta({ description: 'Full commit SHA' }),
  kind: z.enum(['none', 'minor', 'major', 'distribution', 'downgrade', 'new', 'removed', 'unknown']).meta({
    description: 'What happens to the version; unknown where the base could not be read',
  }),
  from: text.nullable(),
  to: text.nullable(),
  others: z.array(text).meta({ description: 'Keys of the target that change besides the version' }),
  why: text.nullable().meta({ description: 'Why it is unknown' }),
});
/** What a pull request, or a push, changes at one target. */
export type ChangeRecord = z.infer<typeof changeSchema>;
