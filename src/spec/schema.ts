/** The spec's shape. `schema/upgrade-spec.schema.json` is generated from here. */
import { z } from 'zod';
import { defaultThresholds, type Thresholds } from '../checks/check.ts';
import type { EnvironmentConfig } from '../environments/registry.ts';

const argv = z
  .array(z.string().min(1))
  .min(1)
  .meta({ description: 'A program and its arguments; never run by a shell' });

/** @returns a whole number; outside of the limits the error says both */
function whole(least: number, most: number) {
  const error = `write a whole number from ${least} to ${most}`;
  return z.number({ error }).int(error).min(least, error).max(most, error);
}

const absolute = z.string().regex(/^\//, 'write an absolute path');

const versionText = z
  .string({
    error: (issue) =>
      typeof issue.input === 'number'
        ? 'quote the version, for example "15.20": a number loses its last zero'
        : undefined,
  })
  .regex(/^[1-9]\d\.(0|[1-9]\d{0,2})$/, 'write major and minor in quotes, for example "15.20"');

const secretName = z
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
const duration = z
  .string({ error: 'write a number and m, h or d, for example "12h"' })
  .regex(/^(0|[1-9]\d{0,4})[mhd]$/, 'write a number and m, h or d, for example "12h"');

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

const applicationSchema = z.strictObject({
  name: z.string().min(1),
  stop: argv,
  start: argv,
  health: z
    .url({ protocol: /^https?$/, error: 'write a URL that begins with http:// or https://' })
    .optional()
    .meta({ description: 'Asked after the start until it answers 2xx' }),
  'start-timeout': whole(1, 3600).default(600).meta({ description: 'Seconds until `health` must answer' }),
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

const sqlFile = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+\.sql$/, 'write the path of an .sql file in the repository')
  .meta({
    description: 'Path of a file with SQL, from the root of the repository',
    examples: ['ops/health.sql'],
  });

const healthFile = z.strictObject({
  file: sqlFile,
  database: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Where it is asked; default: the database of the connection' }),
  'read-only': z.boolean().default(true).meta({ description: 'false: its statements may write' }),
  timeout: whole(1, 3600).default(30).meta({ description: 'Seconds for one statement' }),
});

/** One file of the user's own health SQL. */
export type HealthFile = z.infer<typeof healthFile>;

const healthSchema = z.union(
  [sqlFile.transform((file): HealthFile => ({ file, 'read-only': true, timeout: 30 })), healthFile],
  {
    error: ({ input }) =>
      typeof input === 'string'
        ? 'write the path of an .sql file in the repository'
        : 'write a path, or { file, database, read-only, timeout }',
  },
);

const backupWords = 'write fresh, latest-artifact, or the absolute path of a backup';

/** Name of an image: a registry with its port may stand before it, no tag and no digest behind it. */
const imageName =
  /^([a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const imageWords = 'write the name of an image without tag and digest, for example postgres';

const rehearsalSchema = z.strictObject({
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

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const windowSchema = z.strictObject({
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

const nameWords = 'use small letters, digits and dashes, at most 63';

const moments = ['start', 'pause', 'end'] as const;

const channelSchema = z.union(
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

/** Keys of later versions: refused with a word of their own, since ignoring them would be a lie. */
export const laterKeys: ReadonlySet<string> = new Set(['extensions', 'watch', 'rollback']);
