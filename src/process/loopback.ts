/** Which names and addresses mean the machine on which they are used. Pure. */

/** Whether a host, as a connection or a URL names it, is the machine itself. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bare);
}
