/** What GitHub runs at the end of the job, also after a cancel and when main was killed. */
import { unexpected } from './process/unexpected.ts';

process.stdout.on('error', () => {});

process.on('uncaughtException', (cause) => {
  process.stdout.write(unexpected(cause));
  process.exitCode = 1;
});

const { recoverAction } = await import('./action/recover.ts');
process.exitCode = await recoverAction();
setTimeout(() => process.exit(), 3000).unref();
