/** plan.json: the plan as a file of its own, so that whoever approves it, and the job that carries it out, read the same. */
import { z } from 'zod';
import { planSchema } from './record.ts';

/** The document. `schema/upgrade-plan.schema.json` is generated from here. */
export const planFileSchema = z
  .strictObject({
    version: z.literal(1),
    target: z.string(),
    made: z.iso.datetime(),
    run: z.string().nullable().meta({ description: 'Address of the run that made it; null outside GitHub' }),
    commit: z.string().nullable(),
    plan: planSchema,
  })
  .meta({
    title: 'PostgreSQL upgrade plan',
    description: 'What would be done to one target, and what its digest covers',
  });
/** The document. */
export type PlanFile = z.infer<typeof planFileSchema>;
