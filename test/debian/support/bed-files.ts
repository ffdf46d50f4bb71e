/** What a bed has that another one has not: ports, keys, passwords; and the application. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface BedFiles {
  ports: { postgres: number; ssh: number; health: number };
  passwords: { upgrader: string; storefront: string };
  /** Text of the private key that lets `deploy` in. */
  key: string;
  /** Lines of a known_hosts file. */
  knownHosts: string;
}

/**
 * A port of loopback that nobody listens on, and that the kernel gives to no outgoing connection: a client that
 * keeps trying while a server restarts could take the server's own port, or meet itself on it.
 */
async function quietPort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = 21_000 + Math.floor(Math.random() * 11_000);
    if (taken.has(port)) continue;
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

async function quietPorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) found.add(await quietPort(found));
  return [...found];
}

/** Writes a new pair: `FILE` and `FILE.pub`. */
async function writeKey(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bed', '-f', file]);
}

/** Lays everything into `folder`, as it will lie in the bed's root. */
export async function writeBedFiles(folder: string, passwords: BedFiles['passwords']): Promise<BedFiles> {
  const [postgres = 0, ssh = 0, health = 0] = await quietPorts(3);
  const at = (path: string): string => join(folder, path);
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  };

  await writeKey(at('etc/ssh/ssh_host_ed25519_key'));
  const [kind = '', hostKey = ''] = (await readFile(at('etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')).split(
    ' ',
  );
  await writeKey(at('key'));
  const key = await readFile(at('key'), 'utf8');
  await write('etc/ssh/authorized_keys/deploy', await readFile(at('key.pub'), 'utf8'));
  await Promise.all([rm(at('key')), rm(at('key.pub'))]);
  await write(
    'etc/ssh/sshd_config.d/bed.conf',
    `Port ${ssh}
ListenAddress 127.0.0.1
PasswordAuthentication no
PermitRootLogin no
AuthorizedKeysFile /etc/ssh/authorized_keys/%u
`,
  );

  const from = (path: string): string => join(import.meta.dirname, path);
  await mkdir(at('usr/local/bin'), { recursive: true });
  await copyFile(from('storefront/storefront'), at('usr/local/bin/storefront'));
  await chmod(at('usr/local/bin/storefront'), 0o755);
  await write(
    'etc/systemd/system/storefront.service',
    await readFile(from('storefront/storefront.service'), 'utf8'),
  );
  await write(
    'etc/default/storefront',
    `DATABASE_URL=postgresql://storefront:${passwords.storefront}@127.0.0.1:${postgres}/shop
HEALTH_PORT=${health}
ACKNOWLEDGED=/var/lib/storefront/acknowledged
`,
  );
  await chmod(at('etc/default/storefront'), 0o600);
  // Of this machine, seen in there and not written to.
  const seen = {
    [process.execPath]: '/usr/local/bin/node',
    [from('application.mjs')]: '/opt/storefront/application.mjs',
    [from('../../../node_modules')]: '/opt/storefront/node_modules',
  };
  await write(
    'mounts',
    Object.entries(seen)
      .map((pair) => `${pair.join('\t')}\n`)
      .join(''),
  );
  return {
    ports: { postgres, ssh, health },
    passwords,
    key,
    knownHosts: `[127.0.0.1]:${ssh} ${kind} ${hostKey}\n`,
  };
}
