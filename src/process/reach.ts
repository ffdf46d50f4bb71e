/** A port of this machine that leads to a port of a host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { cleanEnvironment } from './environment.ts';
import { lastLines } from './run.ts';
import { neverSent } from './ssh-errors.ts';

/** A listening port. */
export interface Tunnel {
  host: string;
  port: number;
  close(): void;
}

/**
 * Listens on loopback; each connection becomes a program of its own, so a tunnel outlives the connection to the host.
 * @param command the program whose standard input and output are the connection; rejects where the host is gone
 * @param warn told why a connection could not be made: its client only sees it end
 */
export async function listen(
  command: () => Promise<[string, ...string[]]>,
  warn: (text: string) => void,
): Promise<Tunnel> {
  const open = new Set<() => void>();
  /** A port that was answered on is there: who restarts the server behind it knows why it is closed for a moment. */
  let led = false;
  /** @param early what the client said so far, as long as nothing answered */
  const join = async (socket: Socket, early: Buffer[], tries: number): Promise<void> => {
    const [program, ...args] = await command();
    if (socket.destroyed) return;
    const child = spawn(program, args, { env: cleanEnvironment(), cwd: '/', detached: true });
    let said = '';
    let answered = false;
    const send = (chunk: Buffer): void => {
      if (!answered) early.push(chunk);
      if (child.stdin.write(chunk)) return;
      socket.pause();
      child.stdin.once('drain', () => socket.resume());
    };
    const sendEnd = (): void => void child.stdin.end();
    const end = (): void => {
      open.delete(end);
      socket.destroy();
      child.kill();
    };
    open.add(end);
    child.on('error', end);
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-4096);
    });
    child.stdout.once('data', () => {
      answered = true;
      led = true;
      early.length = 0;
    });
    child.stdout.pipe(socket, { end: false });
    for (const chunk of early) child.stdin.write(chunk);
    socket.on('data', send).on('end', sendEnd).once('close', end);
    child.once('close', () => {
      socket.off('data', send).off('end', sendEnd).off('close', end);
      open.delete(end);
      // Nothing went out: the connection to the host had just been lost.
      if (!answered && neverSent.test(said) && tries > 0) {
        socket.pause();
        join(socket, early, tries - 1)
          .then(() => socket.resume())
          .catch(() => socket.destroy());
        return;
      }
      if (!led && !socket.destroyed && /request failed|forwarding failed/i.test(said)) warn(lastLines(said));
      socket.destroySoon();
    });
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    // Kept until there is somebody to give it to.
    socket.pause();
    join(socket, [], 5)
      .then(() => socket.resume())
      .catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    close() {
      server.close();
      for (const end of [...open]) end();
    },
  };
}
