/** What the tests of read-only mode and draining share: steps and whole runs on a real server. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, connect } from '../../src/postgres/connection.ts';
import type { Mode, UpgradeRecord } from '../../src/report/record.ts';
import type { RunContext } from '../../src/upgrade/context.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import { load } from '../spec/specs.ts';
import type { TestServer } from '../support/servers.ts';
import { type World, world } from './world.ts';

/** A run in memory whose target is a real server; nothing but its environment is made up. */
export async function worldOn(
  server: TestServer,
  spec: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<World> {
  const here = await world({ spec: `${spec}\n` });
  here.run.settings = server.settings();
  here.run.context.variables = variables;
  return here;
}

/** A client of a role, as an application makes its connections. */
export function client(
  server: TestServer,
  database: string,
  user = 'app',
  name = 'storefront',
): Promise<Connection> {
  return connect({ ...server.settings(database), user }, { name });
}

export const urlOf = (server: TestServer, database: string, user = 'app'): string =>
  `postgresql://${user}:s3cret-of-${user}@127.0.0.1:${server.port}/${database}`;

/** SQLSTATE of a statement; `ok` where it went through. */
export async function stateOf(connection: Connection, sql: string): Promise<string> {
  return await connection.script(sql).then(
    () => 'ok',
    (cause: unknown) => String((cause as { code?: unknown }).code ?? cause),
  );
}

/** All settings of databases and roles, as the catalog has them. */
export async function storedSettings(server: TestServer): Promise<string[]> {
  await using connection = await server.connect();
  const rows = await connection.query<{ line: string }>(
    `SELECT concat_ws(' ', d.datname, r.rolname, s.setconfig::text) AS line FROM pg_db_role_setting AS s
     LEFT JOIN pg_database AS d ON d.oid = s.setdatabase LEFT JOIN pg_roles AS r ON r.oid = s.setrole ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}

/** A whole run, with the time at which each line was said. */
export interface Ran {
  record: UpgradeRecord;
  lines: { at: number; text: string }[];
}

/** One run of the action on the server, without the action around it. */
export async function runOn(
  server: TestServer,
  more: string,
  options: {
    mode?: Mode;
    wanted?: string;
    variables?: Readonly<Record<string, string>>;
    heard?: (line: string) => void;
    context?: Partial<RunContext>;
  } = {},
): Promise<Ran> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'pgu-read-only-'));
  using here = await world();
  const [target] = load(`version: 1
targets:
  - name: orders
    postgres: "${options.wanted ?? '15.18'}"
    connection: env:URL
    environment: { kind: embedded, data: ${server.data}, port: ${server.port} }
    backup: { prove: checksum }
${more.replaceAll(/^(?=.)/gm, '    ')}
`);
  if (!target) throw new Error('the spec has no target');
  const lines: Ran['lines'] = [];
  const say = (text: string): void => {
    lines.push({ at: Date.now(), text });
    options.heard?.(text);
  };
  const record = await runTarget(target, {
    ...here.run.context,
    mode: options.mode ?? 'upgrade',
    log: {
      info: say,
      progress: say,
      annotate: ({ level, title, message }) => say(`${level} ${title}: ${message}`),
      startGroup: say,
      endGroup: () => {},
    },
    variables: { URL: server.url, ...options.variables },
    outputDirectory: folder.path,
    now: () => new Date(),
    ...options.context,
  });
  return { record, lines };
}
