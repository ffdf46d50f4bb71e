/** Which steps concern clients only, and leave the server as it is. Pure. */

const beside: readonly string[] = ['stop-applications', 'read-only', 'drain'];

/** Whether a step keeps clients away and does nothing to the server itself: behind it the target is the same. */
export function besideServer(id: string): boolean {
  return beside.includes(id);
}
