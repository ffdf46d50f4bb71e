/**
 * What the runner makes of an action's output: its lines, the commands in them, the masks over them, and the
 * files in which it leaves its outputs, state and summary.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import type { Readable } from 'node:stream';
import type { Annotation, Job, Result } from './runner.ts';

/** What the runner knows of one stage while it reads it. */
export type Step = Pick<Result, 'outputs' | 'state' | 'annotations' | 'masks'> & {
  job: Job;
  lines: string[];
  raw: string[];
  /** The token that ends `::stop-commands::`. */
  stoppedUntil: string | undefined;
  failed: boolean;
};

const summaryLimit = 1024 * 1024;
const entities: Properties = { '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '&': '&amp;' };
const commands = (
  'add-mask add-matcher add-path debug echo endgroup error group notice ' +
  'remove-matcher save-state set-env set-output stop-commands warning'
).split(' ');

/** A stream's lines, ended by LF, CRLF or CR as .NET reads them. */
export function readLines(stream: Readable, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    // A CR at the end may be half of a CRLF.
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    lines.forEach(take);
  });
  stream.on('end', () => rest && take(rest.replace(/\r$/, '')));
}

/** Carries out the command that a line holds, or logs the line. */
export function takeLine(step: Step, line: string): void {
  step.raw.push(line);
  const token = step.stoppedUntil;
  const command = parseCommand(line, token);
  if (token !== undefined) {
    if (command?.name === token.toLowerCase()) step.stoppedUntil = undefined;
    write(step, line);
  } else if (command) {
    perform(step, line, command);
  } else {
    write(step, line);
  }
}

function perform(step: Step, line: string, { name, data, properties }: Command): void {
  switch (name) {
    case 'stop-commands':
      if (data === '' || data === 'pause-logging' || commands.includes(data)) {
        fail(step, line, 'You cannot use a endToken that is an empty string or another command.');
        break;
      }
      step.stoppedUntil = data;
      if (data.length > 6) addSecret(step.job.masked, data);
      write(step, line);
      break;
    case 'add-mask':
      if (data.trim() === '') {
        annotate(step, 'warning', "Can't add secret mask for empty string in ##[add-mask] command.");
        break;
      }
      step.masks.push(data);
      addSecret(step.job.masked, data);
      break;
    case 'error':
    case 'warning':
    case 'notice':
      annotate(step, name, data, properties);
      break;
    case 'set-output':
    case 'save-state':
      if (properties.name) step[name === 'set-output' ? 'outputs' : 'state'][properties.name] = data;
      else fail(step, line, `Required field 'name' is missing in ##[${name}] command.`);
      break;
    case 'set-env':
    case 'add-path':
      fail(step, line, `The \`${name}\` command is disabled.`);
      break;
    case 'group':
      write(step, `##[group]${data}`);
      break;
    case 'endgroup':
      write(step, '##[endgroup]');
      break;
    case 'debug':
      if (step.job.options.env?.RUNNER_DEBUG === '1') write(step, `##[debug]${data}`);
  }
}

function fail(step: Step, command: string, why: string): void {
  step.failed = true;
  annotate(step, 'error', `Unable to process command '${command}' successfully.`);
  annotate(step, 'error', why);
}

function write(step: Step, text: string): void {
  step.lines.push(mask(text, step.job.masked));
}

function annotate(step: Step, level: Annotation['level'], text: string, properties: Properties = {}): void {
  const message = mask(text, step.job.masked).slice(0, 4096);
  write(step, `##[${level}]${message}`);
  if (step.annotations.filter((other) => other.level === level).length >= 10) return;
  const { file, line, endline, col, endcolumn, title } = properties;
  const start = integer(line) ?? integer(endline);
  // A column means nothing without a line, nor over several lines.
  const column =
    start === undefined || (endline && line !== endline) ? undefined : (integer(col) ?? integer(endcolumn));
  const inside = file && relative(step.job.options.workspace, file);
  step.annotations.push({
    level,
    message,
    ...(file && { file: !isAbsolute(file) || inside?.startsWith('..') ? file : inside }),
    ...(start !== undefined && { line: start }),
    ...(column !== undefined && { col: column }),
    ...(title && { title }),
  });
}

type Properties = Readonly<Partial<Record<string, string>>>;
type Command = { name: string; properties: Properties; data: string };

/** `::name key=value,key=value::data` at a line's start, or `##[name key=value;key=value]data` anywhere in it. */
function parseCommand(line: string, token: string | undefined): Command | undefined {
  const known = token === undefined ? commands : [...commands, token.toLowerCase()];
  const forms = [
    {
      match: /^\s*::(.*?)::(.*)$/s.exec(line),
      separator: ',',
      data: /%(0D|0A|25)/g,
      property: /%(0D|0A|25|3A|2C)/g,
    },
    {
      match: /##\[([^\]]*)\](.*)$/s.exec(line),
      separator: ';',
      data: /%(0D|0A|25|3B|5D)/g,
      property: /%(0D|0A|25|3B|5D)/g,
    },
  ];
  for (const { match, separator, data, property } of forms) {
    const [, head = '', tail = ''] = match ?? [];
    const name = (head.split(' ')[0] ?? '').toLowerCase();
    if (!known.includes(name)) continue;
    const properties: Record<string, string> = {};
    for (const pair of head.slice(name.length).trim().split(separator)) {
      const [key, value] = pair.split(/=(.*)/s);
      if (key && value) properties[key.toLowerCase()] = value.replace(property, decodeURIComponent);
    }
    return { name, properties, data: tail.replace(data, decodeURIComponent) };
  }
  return undefined;
}

/** Adds the pairs of an output or state file; a malformed one fails the step after the pairs before it. */
export function readPairs(step: Step, what: string, path: string, pairs: Record<string, string>): void {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') continue;
    const [, name = '', kind = '', rest = ''] = /^(.*?)(=|<<)(.*)$/s.exec(line) ?? [];
    const end = kind === '<<' ? lines.indexOf(rest) : 0;
    if (kind === '' || end < 0 || (kind === '<<' && (name === '' || rest === ''))) {
      const why = end < 0 ? `Matching delimiter not found '${rest}'` : `Invalid format '${line}'`;
      step.failed = true;
      annotate(step, 'error', `Unable to process file command '${what}' successfully.`);
      annotate(step, 'error', why);
      return;
    }
    pairs[name] =
      kind === '='
        ? rest
        : lines
            .splice(0, end + 1)
            .slice(0, -1)
            .join('\n');
  }
}

export function readSummary(step: Step, path: string): Pick<Result, 'summary' | 'summaryDropped'> {
  const written = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  if (written.length > summaryLimit) {
    const size = Math.floor(written.length / 1024);
    const aborted = `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${size}k.`;
    annotate(step, 'error', aborted);
    return { summary: '', summaryDropped: true };
  }
  const lines = written
    .toString()
    .split('\n')
    .map((line) => mask(line, step.job.masked));
  return { summary: lines.join('\n'), summaryDropped: false };
}

/** Adds a secret and each of its lines, in the forms in which the runner looks for them. */
export function addSecret(masked: Set<string>, secret: string): void {
  for (const value of [secret, ...secret.split(/[\r\n]/).map((line) => line.trim())]) {
    for (const form of formsOf(value)) if (form !== '') masked.add(form);
  }
}

/** The runner's value encoders, but for the two that PowerShell needs. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const percent = (text: string) => `%${text.charCodeAt(0).toString(16).toUpperCase()}`;
  return [
    secret,
    ...[0, 1, 2].map((shift) => bytes.subarray(shift).toString('base64')),
    secret.replaceAll('"', '\\"'),
    secret.replaceAll("'", "''"),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret).replace(/[!'()*]/g, percent),
    secret.replace(/[<>"'&]/g, (character) => entities[character] ?? ''),
    /^".{7,}"$/s.test(secret) ? secret.slice(1, -1) : '',
  ];
}

/** `***` for every stretch that secrets cover; two that touch are one. */
function mask(text: string, masked: ReadonlySet<string>): string {
  const hidden = new Set<number>();
  for (const secret of masked) {
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
      for (let index = at; index < at + secret.length; index++) hidden.add(index);
    }
  }
  if (hidden.size === 0) return text;
  const shown = text.split('').map((unit, at) => (!hidden.has(at) ? unit : hidden.has(at - 1) ? '' : '***'));
  return shown.join('');
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined;
}
