/** Bringing a file of a host here, as a stream. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { messageOf, UpgradeError } from '../errors.ts';
import { patiently } from './patience.ts';
import { lastLines, run } from './run.ts';
import { cut, newMark, refusal, type ShellWay } from './shell-host.ts';
import { shellText } from './shell-text.ts';

/** $1 the file. The last `cat` makes descriptor 3 a pipe: sshd gives sockets, which cannot be opened by a name. */
const sendScript = `
[ -f "$1" ] || { echo 'there is no such file' >&2; exit 66; }
{ cat -- "$1" | tee /dev/fd/3 | sha256sum >&2; } 3>&1 | cat
stat --format 'size %s' -- "$1" >&2
`;

/** See `Host.download`. */
export function download(way: ShellWay, path: string, to: string, signal?: AbortSignal): Promise<void> {
  const patience = { name: way.name, signal, repeatable: true, progress: way.progress };
  return patiently(patience, async () => {
    const part = `${to}.part`;
    await rm(part, { force: true });
    try {
      await receive(way, path, part, signal);
      await rename(part, to);
    } finally {
      await rm(part, { force: true });
    }
  });
}

async function receive(
  way: ShellWay,
  path: string,
  part: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await way.open(signal);
  const mark = newMark();
  const body = behind(`${mark}\n`);
  const file = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
  const written = finished(file);
  // What cannot be written here (a full disk) is not waited for there.
  const stop = new AbortController();
  written.catch(() => stop.abort());
  body.stream.on('error', () => {}).pipe(file);
  const ran = await run(way.shell(null), {
    stdin: Readable.from([shellText(mark, { text: sendScript, args: [path] })]),
    stdout: body.stream,
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    ownSession: true,
  }).catch(async (cause: unknown) => {
    if (stop.signal.aborted) await written.catch((why: unknown) => unwritable(part, why));
    file.destroy();
    throw cause;
  });
  await written;
  if (!body.began()) throw await refusal(way, ran.code, ran.stderr);
  const end = new RegExp(`^${mark} (\\d+)$`, 'm').exec(ran.stderr);
  if (!end) throw await cut(way, ran.stderr.replaceAll(`${mark}\n`, ''));
  const said = ran.stderr.replaceAll(new RegExp(`^${mark}.*\n`, 'gm'), '');
  const sum = /^([0-9a-f]{64}) /m.exec(said)?.[1];
  const size = /^size (\d+)$/m.exec(said)?.[1];
  if (end[1] === '0' && sum === body.sum() && Number(size) === body.bytes()) return;
  throw new UpgradeError('host-file', `${path} on ${way.name} could not be copied whole.`, {
    hint:
      sum !== undefined && size !== undefined && Number(size) !== body.bytes()
        ? `${body.bytes()} bytes came, it has ${size}. Does something write to it?`
        : lastLines(said),
  });
}

function unwritable(part: string, cause: unknown): never {
  throw new UpgradeError('host-file', `${part} cannot be written: ${messageOf(cause)}.`, {
    hint: 'Make room on the machine of the runner, or let its user write there.',
    cause,
  });
}

/** What comes behind a mark, with its length and sum. */
function behind(mark: string): {
  stream: Transform;
  began(): boolean;
  bytes(): number;
  sum(): string;
} {
  const hash = createHash('sha256');
  let head: Buffer | null = Buffer.alloc(0);
  let bytes = 0;
  let sum: string | null = null;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      if (head) {
        head = Buffer.concat([head, chunk]);
        const at = head.indexOf(mark);
        if (at < 0) return done();
        rest = head.subarray(at + mark.length);
        head = null;
      }
      bytes += rest.length;
      hash.update(rest);
      done(null, rest);
    },
  });
  return {
    stream,
    began: () => head === null,
    bytes: () => bytes,
    sum: () => {
      sum ??= hash.digest('hex');
      return sum;
    },
  };
}
