/** What GitHub runs. Everything heavy is loaded after the first line is out. */
import { nodeFault } from './node.ts';
import { unexpected } from './process/unexpected.ts';

process.stdout.write('Postgres Upgrade\n');
// Whoever reads the output may go away in the middle of an upgrade: the upgrade goes on.
process.stdout.on('error', () => {});

const stop = new AbortController();
let asked = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    asked += 1;
    stop.abort();
    // Three times means it. On GitHub SIGTERM follows SIGINT after 7.5 seconds by itself.
    if (asked > 2 && process.env.GITHUB_ACTIONS !== 'true') process.exit(130);
    process.stdout.write('Stopping: a step that must not be interrupted is finished first.\n');
  });
}
// The artifact client emits read errors where nobody can catch them: the record must not die with it.
process.on('uncaughtException', (cause) => {
  process.stdout.write(unexpected(cause));
  process.exitCode = 1;
});

const fault = nodeFault(process.versions.node);
if (fault) {
  process.stdout.write(`${fault}\n`);
  process.exitCode = 1;
} else {
  const { runAction } = await import('./action/run.ts');
  process.exitCode = await runAction(stop.signal);
}
// Stalled uploads keep their sockets open for ever: nothing that is left may hold the process.
setTimeout(() => process.exit(), 3000).unref();
