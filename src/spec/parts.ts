/** Values that several sections of the spec have in common. */
import { z } from 'zod';

/** @returns a whole number; outside of the limits the error says both */
export function whole(least: number, most: number) {
  const error = `write a whole number from ${least} to ${most}`;
  return z.number({ error }).int(error).min(least, error).max(most, error);
}

/** An absolute path. */
export const absolute = z.string().regex(/^\//, 'write an absolute path');

/** The name of a variable, never the secret itself. */
export const secretName = z
  .string()
  .regex(
    /^env:[A-Za-z_][A-Za-z0-9_]*$/,
    'write env:NAME: the name of an environment variable, never the secret itself',
  )
  .meta({
    description: 'Name of an environment variable of the step, as env:NAME',
    examples: ['env:ORDERS_DATABASE_URL'],
  });

/** A time span as the spec writes it: minutes, hours or days. */
export const duration = z
  .string({ error: 'write a number and m, h or d, for example "12h"' })
  .regex(/^(0|[1-9]\d{0,4})[mhd]$/, 'write a number and m, h or d, for example "12h"');

/** Whether an address holds a user or a password: they would be in the plan, the journal and the report. */
export function holdsLogin(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}
