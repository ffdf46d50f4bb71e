/** How a run speaks: as workflow commands on GitHub, as plain lines elsewhere. */
import { endGroup, error, info, notice, startGroup, warning } from '@actions/core';
import { type Annotation, type Log, printable } from '../process/log.ts';
import type { Secrets } from '../process/secrets.ts';

const commands = { error, warning, notice };

/** GitHub shows ten annotations of each level for a step; the rest would silently vanish. */
const mostAnnotations = 10;

/** Progress is said often and shown at most this often, in milliseconds. */
const progressEvery = 2000;

function throttled(show: (line: string) => void): (line: string) => void {
  let last = 0;
  return (line) => {
    if (Date.now() - last < progressEvery) return;
    last = Date.now();
    show(line);
  };
}

/** Speaks in workflow commands; text that is not ours can never become one. */
export function githubLog(secrets: Secrets): Log {
  const counts = { error: 0, warning: 0, notice: 0 };
  const clean = (text: string): string => printable(secrets.hide(text));
  const say = (line: string): void => info(clean(line));
  return {
    info: say,
    progress: throttled((line) => say(`… ${line}`)),
    annotate(annotation) {
      const { level, title, message, place } = annotation;
      counts[level] += 1;
      if (counts[level] > mostAnnotations) {
        say(`${level}: ${title}: ${message}`);
        return;
      }
      const left =
        counts[level] === mostAnnotations ? '\nFurther ones are in the log and the report only.' : '';
      const properties = {
        title: clean(title),
        ...(place ? { file: place.file, startLine: place.line, startColumn: place.column } : {}),
      };
      commands[level](clean(message) + left, properties);
    },
    startGroup: (title) => startGroup(clean(title)),
    endGroup: () => endGroup(),
  };
}

/** Speaks in plain lines; `write` takes each of them. */
export function plainLog(
  secrets: Secrets,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Log {
  const clean = (text: string): string => printable(secrets.hide(text));
  const marks: Record<Annotation['level'], string> = { error: 'error', warning: 'warning', notice: 'note' };
  return {
    info: (line) => write(clean(line)),
    progress: throttled((line) => write(clean(`… ${line}`))),
    annotate({ level, title, message, place }) {
      const at = place ? `${place.file}:${place.line}:${place.column} ` : '';
      // Errors of a spec begin with their place already.
      const where = message.startsWith(at) ? '' : at;
      write(clean(`${marks[level]}: ${where}${title}: ${message.replaceAll('\n', '\n  ')}`));
    },
    startGroup: (title) => write(clean(`\n${title}`)),
    endGroup() {},
  };
}
