/** Maintenance windows and channels in the spec. */
import { z } from 'zod';
import { secretName } from './parts.ts';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** An entry of `windows`. */
export const windowSchema = z.strictObject({
  days: z
    .array(z.enum(days, { error: `write one of ${days.join(', ')}` }))
    .min(1)
    .default([...days])
    .meta({ description: 'On which days it opens' }),
  hours: z
    .string()
    .regex(
      /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
      'write from and to, for example "22:00-04:00"',
    )
    .refine((text) => text.slice(0, 5) !== text.slice(6), 'from and to must differ')
    .meta({ description: 'From and to; an end before the start lies on the next day' }),
  'time-zone': z
    .string()
    .refine(isTimeZone, 'write an IANA time zone, for example Europe/Berlin')
    .default('UTC'),
});

/** One maintenance window of a target. */
export type MaintenanceWindow = z.infer<typeof windowSchema>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const moments = ['start', 'pause', 'end'] as const;

/** An entry of `channels`. */
export const channelSchema = z.union(
  [
    z.strictObject({
      slack: secretName.meta({ description: 'Incoming webhook of Slack; its URL is a secret' }),
      at: z
        .array(z.enum(moments))
        .min(1)
        .default([...moments]),
    }),
    z.strictObject({
      webhook: secretName.meta({ description: 'URL that takes CloudEvents 1.0 (structured JSON) by POST' }),
      token: secretName.optional().meta({ description: 'Sent as bearer' }),
      at: z
        .array(z.enum(moments))
        .min(1)
        .default([...moments]),
    }),
  ],
  { error: 'write { slack: env:NAME } or { webhook: env:NAME, token: env:NAME }' },
);

/** One place that is told of upgrades. */
export type Channel = z.infer<typeof channelSchema>;
