/** Text as one word of a POSIX shell. Pure. */

/**
 * One word, whatever is in it: nothing inside single quotes means anything to a shell.
 * @throws where it holds a NUL, which no program can be given
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new Error('a word with a NUL byte cannot be given to a program');
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words of one command line. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}
