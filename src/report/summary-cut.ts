/** The end of the ladder: a text that is too long is cut between two blocks or rows, and says so. */

/** The paragraph that says what a shorter form leaves out. */
export function notice(what: string): string {
  return `> ${what} report.html has all of it.`;
}

/** Whole blocks and rows from the start, then a notice; with less room than the notice needs, nothing. */
export function cut(text: string, limitBytes: number): string {
  if (Buffer.byteLength(text) <= limitBytes) return text;
  const end = `\n${notice('This summary was cut here.')}\n`;
  let left = limitBytes - Buffer.byteLength(end);
  if (left < 0) return '';
  let kept = '';
  for (const piece of pieces(text)) {
    left -= Buffer.byteLength(piece);
    if (left < 0) break;
    kept += piece;
  }
  return kept === '' ? end.trimStart() : `${kept.trimEnd()}\n${end}`;
}

/** A table can end after any row; half of a code block would swallow what follows. */
function pieces(text: string): string[] {
  return text
    .split(/(?<=\n\n)/)
    .flatMap((block) => (block.startsWith('|') ? block.split(/(?<=\n)/) : [block]));
}
