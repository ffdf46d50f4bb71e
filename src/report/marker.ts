/** The hidden first line by which a comment or an issue is found again. Pure. */

/** What the line is of. */
export type Marked = 'comment' | 'issue';

/** `<!-- postgres-upgrade:comment spec=postgres-upgrade.yaml target=orders -->`; one for a spec file and target. */
export function marker(what: Marked, spec: string, target: string): string {
  return `<!-- postgres-upgrade:${what} spec=${harmless(spec)} target=${harmless(target)} -->`;
}

/** Whether a text begins with the line; text that only quotes it does not. */
export function isMarked(body: string | null | undefined, line: string): boolean {
  return (body ?? '').split(/\r?\n/, 1)[0] === line;
}

/** Two dashes would end the hidden line. */
function harmless(text: string): string {
  return encodeURIComponent(text).replaceAll('--', '%2D%2D').replaceAll("'", '%27');
}
