#!/usr/bin/env node
/**
 * Stands in for the program `docker` and the official image: knows exactly what is asked of it here, refuses anything
 * else, and runs real servers. Like the image's entrypoint it starts a temporary server on the same socket first.
 * Beside it: images.json (reference → bin, env, uid, gid, variables, here, fails), state/, calls.jsonl, and `down`
 * where the daemon does not answer.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const home = dirname(realpathSync(process.argv[1]));
const state = join(home, 'state');
const [command, ...rest] = process.argv.slice(2);
const images = () => JSON.parse(readFileSync(join(home, 'images.json'), 'utf8'));
const folderOf = (name) => join(state, name);
const read = (name) => JSON.parse(readFileSync(join(folderOf(name), 'container.json'), 'utf8'));
const text = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const runs = (name) => {
  const pid = Number(text(join(folderOf(name), 'pid')));
  try {
    return pid > 0 && process.kill(pid, 0) && !/\) Z /.test(text(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
};
const fail = (message, code = 1) => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};
const needs = (name) =>
  existsSync(folderOf(name)) || fail(`Error response from daemon: No such container: ${name}`);

/** Flags that are known, each with its value or without one. */
function flags(args, withValue, without) {
  const found = [];
  let index = 0;
  for (; index < args.length && args[index].startsWith('-'); index += 1) {
    if (withValue.includes(args[index])) {
      found.push([args[index], args[index + 1]]);
      index += 1;
    } else if (without.includes(args[index])) found.push([args[index], true]);
    else fail(`unknown flag: ${args[index]}`, 125);
  }
  return {
    found,
    all: (name) => found.filter(([flag]) => flag === name).map(([, value]) => value),
    rest: args.slice(index),
  };
}

/** Begins the container's only process, as the daemon would. */
function begin(name) {
  const out = openSync(join(folderOf(name), 'out'), 'a');
  const err = openSync(join(folderOf(name), 'err'), 'a');
  const child = spawn(process.execPath, [process.argv[1], 'entrypoint-of', name], {
    detached: true,
    stdio: ['ignore', out, err],
  });
  writeFileSync(join(folderOf(name), 'pid'), String(child.pid));
  child.unref();
}

async function entrypoint(name) {
  const { image, env, mounts, args } = read(name);
  const { bin, env: own, uid, gid, fails } = images()[image];
  if (fails) fail(fails);
  // A container's paths, on this machine.
  const here = (value) =>
    Object.entries(mounts).reduce((path, [target, source]) => path.replaceAll(target, source), value);
  const data = join(folderOf(name), 'data');
  const options = {
    uid,
    gid,
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C', ...own, PGHOST: here(env.PGHOST ?? '') },
  };
  const run = (program, argv) => {
    const { status, stderr } = spawnSync(join(bin, program), argv, {
      ...options,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) fail(stderr);
  };
  const socket = mounts['/var/run/postgresql'];
  chownSync(socket, uid, gid);
  chmodSync(socket, 0o3775);
  const settings = args.slice(1).map(here);
  if (!existsSync(join(data, 'PG_VERSION'))) {
    const password = text(here(env.POSTGRES_PASSWORD_FILE ?? '')).trim();
    if (password === '') fail('Error: Database is uninitialized and superuser password is not specified.');
    mkdirSync(data, { mode: 0o700 });
    chownSync(data, uid, gid);
    const file = join(folderOf(name), 'pwfile');
    writeFileSync(file, password, { mode: 0o600 });
    chownSync(file, uid, gid);
    run('initdb', [
      '-D',
      data,
      `--username=${env.POSTGRES_USER}`,
      `--pwfile=${file}`,
      '--no-sync',
      ...env.POSTGRES_INITDB_ARGS.split(' '),
    ]);
    rmSync(file);
    const quoted = [...settings, '-c', 'listen_addresses='].map((value) => `'${value}'`).join(' ');
    run('pg_ctl', ['start', '-D', data, '-w', '-l', join(data, 'temporary.log'), '-o', quoted]);
    // What is in docker-entrypoint-initdb.d takes its time.
    await sleep(800);
    run('pg_ctl', ['stop', '-D', data, '-m', 'fast', '-w']);
    process.stdout.write('\nPostgreSQL init process complete; ready for start up.\n\n');
  }
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings], {
    ...options,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT']) process.on(signal, () => server.kill(signal));
  server.on('exit', (code) => process.exit(code ?? 1));
}

async function end(name, signal, seconds) {
  if (!runs(name)) return;
  process.kill(Number(text(join(folderOf(name), 'pid'))), signal);
  const until = Date.now() + seconds * 1000;
  while (runs(name)) {
    if (Date.now() > until) process.kill(Number(text(join(folderOf(name), 'pid'))), 'SIGQUIT');
    await sleep(20);
  }
}

/** Ends every process of a container at once: the entrypoint with its children, and a temporary server. */
async function kill(name) {
  const pid = Number(text(join(folderOf(name), 'pid')));
  const alive = (id) => {
    // 0 would mean this process and its own group.
    if (!Number.isInteger(id) || id === 0) return false;
    try {
      return process.kill(id, 0) && !/\) Z /.test(text(`/proc/${Math.abs(id)}/stat`));
    } catch {
      return false;
    }
  };
  // The server itself goes by SIGQUIT: its children end with it.
  const server = () => Number(text(join(folderOf(name), 'data', 'postmaster.pid')).split('\n')[0]);
  const until = Date.now() + 5000;
  while ((alive(-pid) || alive(server())) && Date.now() < until) {
    if (alive(server())) process.kill(server(), 'SIGQUIT');
    else if (alive(-pid)) process.kill(-pid, 'SIGKILL');
    await sleep(20);
  }
}

const commands = {
  version() {
    if (existsSync(join(home, 'down')))
      fail(
        'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      );
    process.stdout.write('28.2.2\n');
  },
  image() {
    const [what, ...more] = rest;
    const given = flags(more, ['--format'], []);
    const [reference] = given.rest;
    if (what === 'ls') {
      for (const [name, { here }] of Object.entries(images()))
        if (here && name.startsWith(`${reference}:`)) process.stdout.write(`${name.split(':')[1]}\n`);
      return;
    }
    const image = images()[reference];
    if (!image?.here) fail(`Error response from daemon: No such image: ${reference}`);
    process.stdout.write(
      given.all('--format')[0].includes('.Config.Env')
        ? `PATH=/bin\n${image.variables.join('\n')}\n`
        : 'sha256:0\n',
    );
  },
  pull() {
    const [reference] = flags(rest, [], ['--quiet']).rest;
    const all = images();
    if (!all[reference])
      fail(
        `Error response from daemon: manifest for ${reference} not found: manifest unknown: manifest unknown`,
      );
    all[reference].here = true;
    writeFileSync(join(home, 'images.json'), JSON.stringify(all));
  },
  run() {
    const given = flags(
      rest,
      ['--name', '--label', '--network', '--pull', '--stop-signal', '--mount', '--env'],
      ['--detach'],
    );
    const [image, ...args] = given.rest;
    if (!images()[image]?.here) fail(`Unable to find image '${image}' locally`, 125);
    const [name] = given.all('--name');
    const mounts = given.all('--mount').map((mount) => {
      const parts = Object.fromEntries(mount.split(',').map((part) => part.split('=')));
      if (!existsSync(parts.source))
        fail(`invalid mount config for type "bind": bind source path does not exist: ${parts.source}`, 125);
      return [parts.target, parts.source];
    });
    // A mount leads past the folder around it. Here the server's user must pass through, when nobody else may.
    for (const around of new Set(mounts.map(([, source]) => dirname(source)))) {
      if ((statSync(around).mode & 0o777) !== 0o700) fail(`anybody may enter ${around}`, 125);
      if (process.getuid() === 0) chmodSync(around, 0o711);
    }
    mkdirSync(folderOf(name), { recursive: true });
    chmodSync(state, 0o755);
    const env = Object.fromEntries(
      given.all('--env').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    writeFileSync(
      join(folderOf(name), 'container.json'),
      JSON.stringify({ image, env, mounts: Object.fromEntries(mounts), args }),
    );
    begin(name);
  },
  logs() {
    const given = flags(rest, ['--tail'], []);
    const [name] = given.rest;
    needs(name);
    const cut = (file) =>
      text(join(folderOf(name), file))
        .split('\n')
        .slice(-Number(given.all('--tail')[0] ?? 1e6) - 1)
        .join('\n');
    process.stdout.write(cut('out'));
    process.stderr.write(cut('err'));
  },
  inspect() {
    const [name] = flags(rest, ['--format'], []).rest;
    needs(name);
    process.stdout.write(`${runs(name)}\n`);
  },
  async stop() {
    const given = flags(rest, ['-t'], []);
    needs(given.rest[0]);
    await end(given.rest[0], 'SIGINT', Number(given.all('-t')[0]));
  },
  start() {
    needs(rest[0]);
    for (const source of Object.values(read(rest[0]).mounts))
      if (!existsSync(source)) fail(`Error response from daemon: bind source path does not exist: ${source}`);
    begin(rest[0]);
  },
  exec() {
    const [name, ...argv] = rest;
    if (!runs(name)) fail(`Error response from daemon: container ${name} is not running`);
    const [program, ...args] = argv;
    process.exit(
      spawnSync(program, args, {
        env: { ...process.env, PGDATA: join(folderOf(name), 'data') },
        stdio: 'inherit',
      }).status ?? 1,
    );
  },
  async rm() {
    const [name] = flags(rest, [], ['--force', '--volumes']).rest;
    needs(name);
    await kill(name);
    // What a program of it was writing when it was killed may come a moment later; a real container takes all along.
    for (let quiet = 0; quiet < 5; quiet = existsSync(folderOf(name)) ? 0 : quiet + 1) {
      rmSync(folderOf(name), { recursive: true, force: true, maxRetries: 5 });
      await sleep(40);
    }
  },
};

if (command === 'entrypoint-of') await entrypoint(rest[0]);
else {
  appendFileSync(join(home, 'calls.jsonl'), `${JSON.stringify([command, ...rest])}\n`);
  await (commands[command] ?? (() => fail(`docker: '${command}' is not a docker command.`)))();
}
