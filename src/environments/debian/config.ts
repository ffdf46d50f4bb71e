/** `environment: { kind: debian, ... }` in the spec. */
import { z } from 'zod';
import { absolute, secretName, whole } from '../../spec/parts.ts';

/** A package of Debian (Debian Policy 5.6.1), and a version of it (5.6.12). */
const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, 'write the name of a Debian package, for example postgresql-15-cron');
const packageVersion = z
  .string()
  .regex(/^[0-9][A-Za-z0-9.+~:-]*$/, 'write the exact version, as `apt-cache madison` shows it');

/** Shape of the section; unknown keys are errors. */
export const debianSchema = z
  .strictObject({
    kind: z.literal('debian'),
    cluster: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'write the name of the cluster, as pg_lsclusters shows it')
      .default('main')
      .meta({ description: 'Name of the cluster, as pg_lsclusters shows it' }),
    version: whole(10, 99).meta({ description: 'Major version of the cluster', examples: [15] }),
    host: z
      .string()
      // A value that begins with a dash would be an option of ssh.
      .regex(
        /^([A-Za-z_][A-Za-z0-9_.-]*@)?[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/,
        'write user@host, for example deploy@db1.example.com',
      )
      .optional()
      .meta({
        description: 'Reached by ssh; without it: this machine',
        examples: ['deploy@db1.example.com'],
      }),
    ssh: z
      .strictObject({
        port: whole(1, 65_535).optional(),
        key: secretName
          .optional()
          .meta({ description: 'Private key; default: the agent, or the keys of the user' }),
        'known-hosts': secretName
          .optional()
          .meta({ description: "Lines of a known_hosts file; default: the user's own" }),
      })
      .prefault({}),
    become: z
      .enum(['sudo'])
      .optional()
      .meta({ description: 'How to become root; not needed where the user is root' }),
    supervisor: z
      .enum(['systemd', 'pg_ctlcluster', 'auto'])
      .default('auto')
      .meta({ description: 'What starts and stops the cluster' }),
    packages: z
      .record(packageName, packageVersion)
      .default({})
      .meta({
        description:
          'Further packages of extensions, installed together with the server, at exactly this version',
        examples: [{ 'postgresql-15-cron': '1.6.2-1' }],
      }),
    'allow-packages': z.array(packageName).default([]).meta({
      description: 'Packages that may change with it although they are not of PostgreSQL',
    }),
    holds: z.enum(['respect', 'lift']).default('respect').meta({
      description:
        'What to do with packages on hold: refuse, or lift the hold for the change and put it back',
    }),
    state: absolute
      .optional()
      .meta({ description: 'Folder on the machine of the cluster for journal and saved packages' }),
  })
  .meta({ description: 'A cluster of Debian or Ubuntu packages, here or over ssh' });

/** The section, validated. */
export type DebianConfig = z.infer<typeof debianSchema>;
