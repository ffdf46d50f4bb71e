/**
 * The main job, end to end, on a real server: starts PostgreSQL 15.17, loads a sample database of about 200 MB, and
 * runs the built action on it while a client keeps writing: first a rehearsal, then the upgrade. A second run starts
 * clean.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '../src/postgres/connection.ts';
import { findBinaries } from '../src/postgres/find-binaries.ts';
import {
  configure,
  freePort,
  initCluster,
  serverPid,
  startServer,
  stopServer,
} from '../src/postgres/server.ts';
import type { ConnectionSettings } from '../src/postgres/settings.ts';
import { parseVersion } from '../src/postgres/version.ts';
import { areWeRoot, giveTo, scratchUser } from '../src/process/user.ts';
import { networkEnvironment } from '../test/support/network.ts';
import { loadSample } from './sample/load.ts';
import { startWriter } from './sample/writer.ts';

const from = '15.17';
const to = '15.18';
const root = join(import.meta.dirname, '..');
// PostgreSQL refuses root, and the user that it runs as may not enter everybody's home: root's demo lives in /var/tmp.
const folder = areWeRoot() ? '/var/tmp/postgres-upgrade-demo' : join(root, '.cache/demo');
const data = join(folder, 'data');
const password = 'demo-password-of-a-superuser';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const started = Date.now();

say(`Postgres Upgrade demo: a real PostgreSQL ${from} becomes ${to} while a client writes.\n`);
const user = await scratchUser();
const binaries = await findBinaries(parseVersion(from), undefined, (text) => say(`… ${text}`));
if ((await serverPid(data)) !== null) await stopServer(binaries, data, user, 'immediate');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true, mode: 0o755 });
await giveTo(user, folder);

say(`Starting PostgreSQL ${from} from ${binaries.bin}`);
const port = await freePort();
await initCluster({ binaries, data, superuser: 'postgres', checksums: true, user });
await configure(data, {
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  unix_socket_directories: '',
  log_min_messages: 'warning',
});
await startServer({ binaries, data, args: ['-p', String(port)], log: join(folder, 'server.log'), user });

const settings = (database = 'postgres'): ConnectionSettings => ({
  host: '127.0.0.1',
  port,
  user: 'postgres',
  password,
  database,
  ssl: 'disable',
  sslRootCert: undefined,
});
{
  await using connection = await connect(settings());
  await connection.script(`ALTER ROLE postgres PASSWORD '${password}'`);
}
await writeFile(
  join(data, 'pg_hba.conf'),
  'local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n',
);
{
  await using connection = await connect(settings());
  await connection.script('SELECT pg_reload_conf()');
}

say('Loading the sample: two databases, about 200 MB');
const sample = await loadSample(
  { connect: (database) => connect(settings(database), { statementTimeout: 0 }) },
  { scale: 1, progress: (text) => say(`… ${text}`) },
);
say(`Loaded ${sample.rows.toLocaleString('en')} rows into ${sample.databases.join(' and ')}\n`);

const spec = join(folder, 'postgres-upgrade.yaml');
await writeFile(
  spec,
  `version: 1
targets:
  - name: demo
    postgres: "${to}"
    connection: env:DEMO_DATABASE_URL
    environment: { kind: embedded, data: ${data}, port: ${port} }
    require-rehearsal: 1h
`,
);
say(`The spec, ${spec}:\n\n${(await readFile(spec, 'utf8')).replaceAll(/^/gm, '    ')}`);

say('A client writes one row after the other from now on. Running dist/main.js with mode: rehearse\n');
const writer = await startWriter(settings('shop'));
const rehearsed = await runBundle('rehearse');
say('\nNow the same on the server itself: dist/main.js with mode: upgrade\n');
const code = rehearsed === 0 ? await runBundle('upgrade') : rehearsed;
const totals = await writer.stop();

const connection = await connect(settings('shop'));
const missing = await writer.verify(connection);
say(
  `\nThe writing client: ${totals.acknowledged.toLocaleString('en')} rows acknowledged, ${missing.length} of them missing afterwards, ` +
    `longest gap ${Math.round(totals.longestGapMs)} ms.`,
);
await connection.close();
await stopServer(binaries, data, user);
say(
  `\nThe demo took ${Math.round((Date.now() - started) / 1000)} s. Its server is stopped, its files are in ${folder}.`,
);
say(`The rehearsal: ${join(folder, 'rehearsal', 'demo', 'report.html')}`);
say(`The report: ${join(folder, 'report', 'demo', 'report.html')}`);
process.exitCode = code === 0 && missing.length === 0 ? 0 : 1;

/** Runs the built action as a shell would, outside GitHub. */
async function runBundle(mode: 'rehearse' | 'upgrade'): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'dist/main.js')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      INPUT_MODE: mode,
      'INPUT_OUTPUT-DIRECTORY': mode === 'rehearse' ? 'rehearsal' : 'report',
      DEMO_DATABASE_URL: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
      ...networkEnvironment(),
    },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exit) => resolve(exit ?? 1));
  });
}
