/** The built action on a bed: a workspace with its spec, and everything that GitHub would give it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../../src/postgres/connection.ts';
import { readConnectionUrl } from '../../../src/postgres/settings.ts';
import { recordSchema, type UpgradeRecord } from '../../../src/report/record.ts';
import {
  type ActionOptions,
  type Result,
  type RunningAction,
  runAction,
  startAction,
} from '../../support/runner.ts';
import type { Bed } from './bed.ts';

export interface BedTarget extends AsyncDisposable {
  workspace: string;
  output: string;
  /** Writes the spec anew: `more` is put below the target, `environment` into its section. */
  spec(options?: { version?: string; more?: string; environment?: string }): Promise<void>;
  run(mode: string, more?: Partial<ActionOptions>): Promise<Result>;
  start(mode: string, more?: Partial<ActionOptions>): RunningAction;
  record(): Promise<UpgradeRecord>;
  /** What answers on the bed's port. */
  version(): Promise<string>;
  /** Version of the installed server package. */
  installed(): Promise<string>;
}

/** The application of the bed, as a spec names it. */
export function storefront(bed: Bed, start?: string): string {
  const how = bed.supervisor === 'systemd' ? '[systemctl, ACTION, storefront]' : '[storefront, ACTION]';
  return [
    '    applications:',
    '      - name: storefront',
    `        stop: ${how.replace('ACTION', 'stop')}`,
    `        start: ${start ?? how.replace('ACTION', 'start')}`,
    `        health: ${bed.application.health}`,
    '        start-timeout: 20',
  ].join('\n');
}

/** Numbers of orders that the application was promised, and that the server does not hold. */
export async function lostOrders(bed: Bed): Promise<number[]> {
  const text = await readFile(join(bed.root, bed.application.acknowledged), 'utf8');
  const promised = text
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(line.split(' ')[0]));
  if (promised.length === 0) throw new Error('the application was promised nothing');
  await using reader = await connect(readConnectionUrl(bed.postgres.url, 'bed'), { name: 'bed reader' });
  const rows = await reader.query<{ id: string }>('SELECT id FROM orders');
  const held = new Set(rows.map(({ id }) => Number(id)));
  return promised.filter((each) => !held.has(each));
}

/** A target over ssh, as `deploy` with sudo. */
export async function targetOn(bed: Bed): Promise<BedTarget> {
  const workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  const output = `${workspace}-out`;
  const backups = `${workspace}-backups`;
  const spec: BedTarget['spec'] = async ({
    version = bed.versions.new,
    more = '',
    environment = '',
  } = {}) => {
    await writeFile(
      join(workspace, 'postgres-upgrade.yaml'),
      [
        'version: 1',
        'targets:',
        '  - name: orders',
        `    postgres: "${version}"`,
        '    connection: env:ORDERS_DATABASE_URL',
        '    environment:',
        '      kind: debian',
        '      version: 15',
        `      host: ${bed.ssh.host}`,
        `      ssh: { port: ${bed.ssh.port}, key: env:DB_SSH_KEY, known-hosts: env:DB_KNOWN_HOSTS }`,
        '      become: sudo',
        environment,
        `    backup: { directory: ${backups} }`,
        more,
        '',
      ].join('\n'),
    );
  };
  await spec();
  const options = (mode: string, more: Partial<ActionOptions> = {}): ActionOptions => ({
    entry: 'dist/main.js',
    workspace,
    ...more,
    inputs: { mode, artifacts: 'none', 'output-directory': output, ...more.inputs },
    env: {
      ORDERS_DATABASE_URL: bed.postgres.url,
      DB_SSH_KEY: bed.ssh.key,
      DB_KNOWN_HOSTS: bed.ssh.knownHosts,
      ...more.env,
    },
    secrets: [bed.postgres.url, bed.ssh.key],
  });
  const inside = async (...argv: string[]): Promise<string> => (await bed.run(...argv)).stdout.trim();
  return {
    workspace,
    output,
    spec,
    run: (mode, more) => runAction(options(mode, more)),
    start: (mode, more) => startAction(options(mode, more)),
    record: async () =>
      recordSchema.parse(JSON.parse(await readFile(join(output, 'orders', 'report.json'), 'utf8'))),
    version: () =>
      inside(
        'runuser',
        '-u',
        'postgres',
        '--',
        'psql',
        '-XAtqp',
        `${bed.postgres.port}`,
        '-c',
        "SELECT split_part(current_setting('server_version'), ' ', 1)",
      ),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder.
    installed: () => inside('dpkg-query', '--show', '--showformat=${Version}', 'postgresql-15'),
    async [Symbol.asyncDispose]() {
      for (const folder of [workspace, output, backups]) await rm(folder, { recursive: true, force: true });
    },
  };
}
