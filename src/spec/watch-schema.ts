/** The section `watch` of the spec: how the upgraded target is observed, and what takes the upgrade back. */
import { z } from 'zod';
import { whole } from './parts.ts';

const words = 'write a number and s, m or h, for example "10m"';
const span = z.string({ error: words }).regex(/^[1-9]\d{0,3}[smh]$/, words);

const full = z.strictObject({
  for: span.meta({ description: 'How long', examples: ['10m'] }),
  every: whole(1, 3600).default(5).meta({ description: 'Seconds between two looks' }),
  errors: whole(0, 1_000_000).default(0).meta({
    description: "Errors by the extensions' `errors-sql` beyond those from before",
  }),
  'connection-failures': z
    .number({ error: 'write a number' })
    .min(0)
    .max(1, 'this is a share: write a number from 0 to 1, for example 0.05')
    .default(0.05)
    .meta({ description: 'Share of new connections that may fail' }),
});

/** The section `watch`. */
export const watchSchema = z.union([span.transform((text) => full.parse({ for: text })), full], {
  error: ({ input }) =>
    typeof input === 'string' || typeof input === 'number'
      ? words
      : 'write a time such as "10m", or { for, every, errors, connection-failures }',
});

/** How the upgraded target is observed. */
export type WatchSpec = z.infer<typeof full>;
