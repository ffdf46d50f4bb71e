/** What the rest of the code says to people while it works; `action/` decides how it looks. */
import type { Place } from '../errors.ts';

/** Something that people should notice, at its place in a file where there is one. */
export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  title: string;
  message: string;
  place?: Place | undefined;
}

/** Everything a run may say. */
export interface Log {
  /** One line of plain text; anything in it that looks like a workflow command is defused. */
  info(line: string): void;
  /** Something that is still going on; may be shown more rarely than it is said. */
  progress(line: string): void;
  annotate(annotation: Annotation): void;
  startGroup(title: string): void;
  endGroup(): void;
}

/**
 * A line as it may be printed. The runner reads commands from any line of output: `::name::` at its start and
 * the older `##[name]` anywhere, so text from a server or a tool is kept from looking like either.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .split('\n')
    .map((line) => line.replace(/^(\s*)::/, '$1: :').replaceAll('##[', '# #['))
    .join('\n');
}
