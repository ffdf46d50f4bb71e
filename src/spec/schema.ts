/** The spec's shape. `schema/upgrade-spec.schema.json` is generated from here. */
import { z } from 'zod';
import { defaultThresholds, type Thresholds } from '../checks/check.ts';
import type { EnvironmentConfig } from '../environments/registry.ts';
import { drainSchema } from './drain-schema.ts';
import { extensionsSchema } from './extension-schema.ts';
import { channelSchema, windowSchema } from './fleet-schema.ts';
import { healthSchema } from './health-schema.ts';
import { absolute, duration, holdsLogin, secretName, whole } from './parts.ts';
import { readOnlySchema } from './read-only-schema.ts';
import { imageName, imageWords, rehearsalSchema } from './rehearsal-schema.ts';
import { rollbackSchema } from './rollback-schema.ts';
import { watchSchema } from './watch-schema.ts';

const argv = z
  .array(z.string().min(1))
  .min(1)
  .meta({ description: 'A program and its arguments; never run by a shell' });

const versionText = z
  .string({
    error: (issue) =>
      typeof issue.input === 'number'
        ? 'quote the version, for example "15.20": a number loses its last zero'
        : undefined,
  })
  .regex(/^[1-9]\d\.(0|[1-9]\d{0,2})$/, 'write major and minor in quotes, for example "15.20"');

/** Typed out by whoever wants a dump of their data readable by everybody who can read the repository. */
export const unencryptedConsent = 'I accept that everyone who can read this repository can read this data';

const backupSchema = z.strictObject({
  format: z.literal('directory').default('directory').meta({ description: "pg_dump's directory format" }),
  directory: absolute.optional().meta({ description: 'Where backups are kept; default: beside the target' }),
  jobs: whole(1, 32).default(2).meta({ description: 'Tables dumped and restored at the same time' }),
  compress: whole(0, 9)
    .default(1)
    .meta({ description: 'gzip level; 1 is nearly as small as 9 and three times as fast' }),
  clients: absolute.optional().meta({ description: 'Folder that holds pg_dump, pg_restore and pg_dumpall' }),
  prove: z.enum(['restore', 'checksum', 'none']).default('restore').meta({
    description:
      'restore: restored into a scratch server and compared; checksum: files re-read only; none: not looked at',
  }),
  'keep-days': whole(1, 3650)
    .default(14)
    .meta({ description: 'Older backups of this target are removed after a successful upgrade' }),
  'encrypt-to': z
    .array(z.string().regex(/^age1[a-z0-9]{50,}$/, 'an age recipient looks like age1...'))
    .default([])
    .meta({ description: 'age recipients that may read a dump uploaded as artifact' }),
  'publish-unencrypted': z
    .literal(unencryptedConsent)
    .optional()
    .meta({ description: 'Uploads the dump in clear; never in a public repository' }),
});

const applicationSchema = z
  .strictObject({
    name: z.string().min(1),
    stop: argv.optional(),
    start: argv.optional(),
    'runs-on': z.enum(['target', 'runner']).default('target').meta({
      description:
        'Where the commands run: on the machine of the database, as its environment reaches it, or beside the job',
    }),
    health: z
      .url({ protocol: /^https?$/, error: 'write a URL that begins with http:// or https://' })
      .refine((url) => !holdsLogin(url), { error: 'write no user or password here: every report shows it' })
      .optional()
      .meta({ description: 'Asked after the start until it answers 2xx' }),
    'start-timeout': whole(1, 3600).default(600).meta({ description: 'Seconds until `health` must answer' }),
  })
  .refine(({ stop, start }) => (stop === undefined) === (start === undefined), {
    error: 'write both `stop` and `start`, or neither: then it stays up, and only its health is watched',
  })
  .refine(({ stop, health }) => stop !== undefined || health !== undefined, {
    error: 'write `stop` and `start`, or `health`',
  });

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The thresholds as the spec spells them: `longTransactionBlock` is `long-transaction-block`. */
export const thresholdKeys: ReadonlyMap<string, keyof Thresholds> = new Map(
  Object.keys(defaultThresholds).map((key) => [kebab(key), key as keyof Thresholds]),
);

/** Checks that nobody may switch off: without them the run does not know what it works on. */
export const indispensable: readonly string[] = ['identity'];

/** What ships below 1 is a share: 5 would mean 500 %. */
function thresholdSchema(shipped: number) {
  const share = shipped > 0 && shipped < 1;
  const number = z.number({ error: 'write a number' }).min(0, 'write a number that is not negative');
  return share ? number.max(1, 'this is a share: write a number from 0 to 1, for example 0.9') : number;
}

function checksSchema(ids: readonly string[]) {
  return z.strictObject({
    disable: z
      .array(
        z.enum(ids.filter((id) => !indispensable.includes(id)) as [string, ...string[]], {
          error: ({ input }) =>
            indispensable.includes(String(input))
              ? 'this check cannot be switched off'
              : 'there is no check of this id; docs/checks.md lists all',
        }),
      )
      .default([])
      .meta({ description: 'Ids of checks that are not asked; the record says so' }),
    thresholds: z
      .strictObject(
        Object.fromEntries(
          [...thresholdKeys].map(([key, name]) => [key, thresholdSchema(defaultThresholds[name]).optional()]),
        ),
      )
      .default({})
      .meta({ description: 'Limits other than those that ship; docs/checks.md explains each' }),
  });
}

const nameWords = 'use small letters, digits and dashes, at most 63';

const manifestSchema = z.strictObject({
  from: z
    .string()
    .regex(
      /^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+\.(ya?ml|json)$/,
      'write the path of a YAML file in the repository',
    )
    .meta({
      description: 'Path of the manifest from the root of the repository',
      examples: ['deploy/orders/statefulset.yaml'],
    }),
  image: z
    .string()
    .regex(imageName, imageWords)
    .meta({ description: 'Image whose tag is the version, without the tag', examples: ['postgres'] }),
});

const wantedSchema = z.union([versionText, manifestSchema], {
  error: ({ input }) => {
    if (typeof input === 'number')
      return 'quote the version, for example "15.20": a number loses its last zero';
    if (typeof input === 'string') return 'write major and minor in quotes, for example "15.20"';
    return 'write the version in quotes, for example "15.20", or { from: deploy/postgres.yaml, image: postgres }';
  },
});

/** Where the wanted version stands: in the spec, or in a manifest. */
export type Wanted = z.infer<typeof wantedSchema>;

/** Builds the schema for the environments that exist. */
export function specSchema<E extends z.ZodType<EnvironmentConfig>>(
  environment: E,
  checkIds: readonly string[],
) {
  const target = z.strictObject({
    name: z
      .string()
      // A letter first: a workflow's expression would take `0` for the first of a list.
      .regex(
        /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
        'use small letters, digits and dashes, a letter first, at most 63',
      ),
    postgres: wantedSchema.meta({
      description: 'The version that should run, or the manifest that names it',
      examples: ['15.20', { from: 'deploy/orders/statefulset.yaml', image: 'postgres' }],
    }),
    connection: secretName,
    environment,
    backup: backupSchema.prefault({}),
    applications: z
      .array(applicationSchema)
      .refine(
        (list) => new Set(list.map(({ name }) => name)).size === list.length,
        'give each application a name of its own',
      )
      .default([])
      .meta({ description: 'Stopped before the change, started after it, whatever happens' }),
    'read-only': readOnlySchema.optional().meta({
      description: 'Writes are refused during the change, and it is verified that they are',
    }),
    drain: drainSchema.optional().meta({ description: 'Open transactions are waited for before the change' }),
    extensions: extensionsSchema
      .default({})
      .meta({ description: 'Extensions that are looked at one by one' }),
    watch: watchSchema.optional().meta({
      description: 'The upgraded target is observed for this long; a crossed limit is a failure',
      examples: ['10m'],
    }),
    rollback: rollbackSchema.optional(),
    pause: z
      .enum(['first', 'all', 'none'])
      .default('none')
      .meta({ description: 'Stop for a person after the first member, after each, or never' }),
    'on-failure': z.enum(['rollback', 'stop']).default('rollback'),
    advice: z.enum(['apply', 'report']).default('report').meta({
      description:
        'What the release notes ask of this database: report it, or carry out what is safe after the upgrade',
    }),
    'notes-read': z
      .array(versionText)
      .default([])
      .meta({ description: 'Releases whose notes a person has read, where the action does not know them' }),
    checks: checksSchema(checkIds).prefault({}),
    rehearsal: rehearsalSchema.prefault({}),
    'require-rehearsal': duration.optional().meta({
      description: 'An upgrade is refused without a passed rehearsal of the same versions that is not older',
      examples: ['7d'],
    }),
    wave: whole(1, 100).default(1).meta({
      description: 'Targets of a later wave are upgraded once all earlier ones are green',
    }),
    windows: z.array(windowSchema).default([]).meta({
      description: 'Maintenance windows; outside of all of them an upgrade is refused. None means always',
    }),
    notify: z
      .array(z.string(), { error: 'write a list of names of channels, for example [platform-team]' })
      .default([])
      .meta({ description: 'Names of channels that are told' }),
    health: z.array(healthSchema).default([]).meta({
      description:
        "The user's own SQL, asked before and after; a status or severity of critical, failed or error blocks",
    }),
  });
  return z
    .strictObject({
      version: z.literal(1),
      soak: duration.default('0m').meta({
        description: 'How long the targets of a wave must have been green before the next wave starts',
        examples: ['24h'],
      }),
      channels: z
        .record(
          z.string({ error: nameWords }).regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, nameWords),
          channelSchema,
        )
        .default({})
        .meta({ description: 'Who can be told, by name' }),
      targets: z.array(target).min(1).max(256),
    })
    .meta({
      title: 'Postgres Upgrade spec',
      description: 'Which PostgreSQL version each target should run, and how to get there',
    });
}

/** The schema's own type. */
export type SpecSchema = ReturnType<typeof specSchema<z.ZodType<EnvironmentConfig>>>;
/** A whole spec, defaults filled in. */
export type Spec = z.infer<SpecSchema>;
/** One target, defaults filled in, its version found. */
export type TargetSpec = Omit<Spec['targets'][number], 'postgres'> & { postgres: string };
/** One application of a target. */
export type ApplicationSpec = TargetSpec['applications'][number];
