/** The section `drain` of the spec. */
import { z } from 'zod';
import { whole } from './parts.ts';

/** The section `drain`. */
export const drainSchema = z.strictObject({
  'at-most': whole(0, 10_000)
    .default(5)
    .meta({ description: 'Transactions that may still be open; the action does not count its own' }),
  timeout: whole(1, 86_400).default(300).meta({ description: 'Seconds to wait for it' }),
  // biome-ignore lint/suspicious/noThenProperty: the spec's own word; a plain value, never awaited.
  then: z
    .enum(['give-up', 'end'])
    .default('give-up')
    .meta({ description: 'Afterwards: end the upgrade before anything was changed, or end the sessions' }),
});

/** How open transactions are waited for. */
export type DrainSpec = z.infer<typeof drainSchema>;
