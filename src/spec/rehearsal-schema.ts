/** The section `rehearsal` of the spec. */
import { z } from 'zod';
import { healthSchema } from './health-schema.ts';
import { secretName } from './parts.ts';

const backupWords = 'write fresh, latest-artifact, or the absolute path of a backup';

/** Name of an image: a registry with its port may stand before it, no tag and no digest behind it. */
export const imageName =
  /^([a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
/** What the name of an image must be. */
export const imageWords = 'write the name of an image without tag and digest, for example postgres';

/** The section `rehearsal`. */
export const rehearsalSchema = z.strictObject({
  from: z
    .union([z.enum(['fresh', 'latest-artifact']), z.string().regex(/^\//, backupWords)], {
      error: backupWords,
    })
    .default('fresh')
    .meta({
      description:
        'Which backup is rehearsed: a fresh one; the newest encrypted dump among the artifacts; or the one in this folder (the newest where the folder holds several)',
    }),
  scratch: z.enum(['auto', 'embedded', 'docker', 'binaries']).default('auto').meta({
    description:
      'Where the scratch server comes from: installed programs, packages from npm, a container image; auto takes the first that has the version',
  }),
  image: z
    .string()
    .regex(imageName, imageWords)
    .default('postgres')
    .meta({ description: 'Image for scratch: docker; the version is its tag' }),
  nearest: z.enum(['refuse', 'allow']).default('refuse').meta({
    description: 'What to do where the exact version cannot be had: stop, or take the nearest minor of it',
  }),
  smoke: z.array(healthSchema).default([]).meta({
    description:
      'SQL files that are run on the restored copy only; a statement that fails, fails the rehearsal',
  }),
  identity: secretName.optional().meta({ description: 'age identity that reads the encrypted artifact' }),
});

/** What a rehearsal goes by. */
export type RehearsalSpec = z.infer<typeof rehearsalSchema>;
