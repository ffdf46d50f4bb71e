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

/** The target of a text that begins with such a line for this spec file; null for any other text. */
export function markedTarget(body: string | null | undefined, what: Marked, spec: string): string | null {
  const [line = ''] = (body ?? '').split(/\r?\n/, 1);
  const found = / target=([^ ]+) -->$/.exec(line)?.[1] ?? '';
  try {
    const target = decodeURIComponent(found);
    return target !== '' && line === marker(what, spec, target) ? target : null;
  } catch {
    return null;
  }
}

/** Two dashes would end the hidden line. */
function harmless(text: string): string {
  return encodeURIComponent(text).replaceAll('--', '%2D%2D').replaceAll("'", '%27');
}
