/** The section `rollback` of the spec. */
import { z } from 'zod';

const consent = /^I accept losing writes since (\S.*)$/;

/** Without a zone it would be another moment on every machine. */
const moment = z.iso.datetime({ offset: true });

/** The section `rollback`. */
export const rollbackSchema = z.strictObject({
  restore: z
    .string()
    .regex(consent, 'write "I accept losing writes since TIME", with the time at which the backup was begun')
    .refine(
      (text) => !consent.test(text) || moment.safeParse(consentedSince(text)).success,
      'write the time with its zone, for example 2026-11-20T03:00:00Z: an error of mode rollback tells the very sentence',
    )
    .optional()
    .meta({
      description:
        'Mode rollback also restores the backup of the upgrade. Everything written since that time is not in it',
      examples: ['I accept losing writes since 2026-11-20T03:00:00Z'],
    }),
});

/** What mode rollback may do beyond going back on the same data. */
export type RollbackSpec = z.infer<typeof rollbackSchema>;

/** The time that a consent names, as it was written. */
export function consentedSince(text: string): string {
  return consent.exec(text)?.[1] ?? '';
}
