// A tiny application for tests: `start` leaves a server that answers /health, `stop` ends it. The pid is in a file.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [verb, port, file] = process.argv.slice(2);
if (verb === 'serve') {
  createServer((_request, response) => response.end('ok')).listen(Number(port), '127.0.0.1', () =>
    writeFileSync(file, String(process.pid)),
  );
} else if (verb === 'start') {
  const child = spawn(process.execPath, [import.meta.filename, 'serve', port, file], {
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
} else {
  process.kill(Number(readFileSync(file, 'utf8')));
  rmSync(file);
}
