/** A child that goes on beside us. */
import type { ChildProcess } from 'node:child_process';

/** From now on it keeps nobody from ending. */
export function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream && 'unref' in stream) (stream as unknown as { unref(): void }).unref();
  }
}
