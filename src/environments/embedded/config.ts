/** `environment: { kind: embedded, ... }` in the spec. */
import { z } from 'zod';

const absolute = z.string().regex(/^\//, 'write an absolute path');

/** Shape of the section; unknown keys are errors. */
export const embeddedSchema = z
  .strictObject({
    kind: z.literal('embedded'),
    data: absolute.meta({ description: 'Data directory of the cluster, on this machine' }),
    port: z.number().int().min(1).max(65535).meta({ description: 'Port that the cluster listens on' }),
    binaries: absolute.optional().meta({
      description: 'Folder of the server programs; {version} (15.20) and {major} (15) are filled in',
      examples: ['/opt/postgresql/{version}'],
    }),
    state: absolute
      .optional()
      .meta({ description: 'Folder for journal, backups and server log; default: DATA.upgrade' }),
  })
  .meta({ description: 'A cluster in a data directory on this machine' });

/** The section, validated. */
export type EmbeddedConfig = z.infer<typeof embeddedSchema>;
