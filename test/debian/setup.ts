/** Before the first test: the Debian that beds are copies of. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { script } from './support/bed.ts';

export async function setup(): Promise<void> {
  const fetching = spawn(script, ['fetch'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [folder, [code]] = await Promise.all([text(fetching.stdout), once(fetching, 'exit')]);
  if (code !== 0) throw new Error('scripts/debian-root could not build a Debian; it said why.');
  // Tests run in processes that are started later, and get it.
  process.env.DEBIAN_ROOT = folder.trim();
}
