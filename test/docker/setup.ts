/** Before the first and after the last test: the daemon, its image, and nothing left of either but the cache. */
import { delimiter } from 'node:path';
import { buildImage, docker, type Host, leftOvers, startHost } from './host.ts';

let host: Host | undefined;
let before: string[];

export async function setup(): Promise<void> {
  before = await leftOvers();
  host = await startHost();
  // Tests run in processes that are started later, and get these.
  process.env.DOCKER_HOST = host.address;
  process.env.PATH = `${host.bin}${delimiter}${process.env.PATH}`;
  try {
    // A run that was killed may have left some.
    await docker('container', 'prune', '--force');
    await docker('volume', 'prune', '--force');
    await buildImage();
  } catch (cause) {
    await teardown();
    throw cause;
  }
}

export async function teardown(): Promise<void> {
  await host?.[Symbol.asyncDispose]();
  const left = (await leftOvers()).filter((each) => !before.includes(each));
  if (left.length > 0) throw new Error(`The Docker daemon left:\n${left.join('\n')}`);
}
