/**
 * Text from a database, a server or a person, made safe to show.
 * Names of tables and roles, server messages and commit authors are chosen by others: whatever they hold must be
 * seen as it is and do nothing.
 */

const CONTROL = /[\u0000-\u0009\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g;
const LINE_BREAK = /\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g;
/**
 * Characters that are not seen, or that change the order in which others are seen. The joiners U+200C and U+200D and
 * the variation selectors belong to spelling and emoji, and stay.
 */
const INVISIBLE = /(?!\u200c|\u200d|[\ufe00-\ufe0f])(?:\p{Default_Ignorable_Code_Point}|[\ufff9-\ufffb])/gu;

/** Every character can be seen: controls as their picture, invisible ones as `[U+202E]`. Lines end in `\n`. */
export function visible(value: string): string {
  return value
    .toWellFormed()
    .replace(LINE_BREAK, '\n')
    .replace(CONTROL, pictureOf)
    .replace(INVISIBLE, (character) => `[U+${codeOf(character)}]`);
}

/** One line: a break between words is shown as `⏎`, so that it is not taken for a space. */
export function oneLine(value: string): string {
  const lines = visible(value).split('\n');
  if (lines.length === 1) return lines.join('');
  // Not by a regular expression: a text of a million blanks would keep it busy for minutes.
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ⏎ ');
}

/** At most `length` characters, with the number of those left out. */
export function clip(value: string, length: number): string {
  // Cheap test first: a code point is one or two UTF-16 units.
  if (value.length <= length) return value;
  const characters = Array.from(value);
  if (characters.length <= length) return value;
  return `${characters.slice(0, length).join('')}… (${characters.length - length} more characters)`;
}

/** Content of an HTML element or of a quoted attribute. A break becomes `&#10;`: no line of the file starts with it. */
export function escapeHtml(value: string): string {
  return visible(value).replace(/[&<>"'`=\n]|(?<=##)\[/g, (character) => {
    switch (character) {
      case '&':
        return '&amp;';
      case '<':
        return '&lt;';
      case '>':
        return '&gt;';
      default:
        return entity(character);
    }
  });
}

/**
 * What markdown, or GitHub after it, would take for something else. In order: markup; the start of a block (our text
 * may follow a `- `); a word's edge `_`; mentions and mail addresses; math; issue numbers; `http://`, `::` and `:emoji:`;
 * `www.`; `GH-1`; a commit's hash.
 */
const MARKDOWN =
  /[&<>\\`*[\]|~]|^[-+=]|(?<=^\d{1,9})[.)](?=\s|$)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[@$#]|:(?=\/\/)|(?<=:):|:(?=(?:[a-z+-][\w+-]*|100|1234|8ball):)|(?<=www)\.|(?<=\bgh)-(?=\d)|\b[0-9a-f](?=[0-9a-f]{6,39}\b)/gi;

/** Text in a paragraph, a list item, a heading or a cell of a table. */
export function markdownText(value: string): string {
  return oneLine(value)
    .trim()
    .replace(MARKDOWN, (found) => {
      if (/[@$:#.a-f0-9-]/i.test(found)) return apart(found);
      switch (found) {
        case '&':
          return '&amp;';
        case '<':
          return '&lt;';
        case '>':
          return '&gt;';
        default:
          return entity(found);
      }
    });
}

/** A name, a path or a command: a code span. Safe in a cell too. */
export function markdownCode(value: string): string {
  const shown = oneLine(value);
  if (shown.trim() === '') return '(empty)';
  // Renderers disagree about `\|` within a code span in a table; an entity within <code> means the same to all.
  // `##[` is a command of the runner anywhere in a line.
  if (shown.includes('|') || shown.includes('##[')) return `<code>${markdownText(value)}</code>`;
  const fence = '`'.repeat(longestRun(shown) + 1);
  const pad = /^[ `]|[ `]$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** Lines to copy: a fenced block. */
export function markdownBlock(lines: readonly string[], language = ''): string {
  const shown = lines.map((line) => notACommand(oneLine(line)));
  const fence = '`'.repeat(Math.max(3, longestRun(shown.join('\n')) + 1));
  return [`${fence}${language}`, ...shown, fence].join('\n');
}

/** One line for a terminal or a job's log. */
export function plainText(value: string): string {
  return notACommand(oneLine(value).trim());
}

/**
 * The runner obeys a line that starts with `::` after any blanks, and `##[` anywhere in a line.
 * Source: actions/runner, ActionCommand.TryParseV2 and TryParse.
 */
function notACommand(line: string): string {
  return line.replace(/^(\s*):(?=:)/, '$1: ').replaceAll('##[', '## [');
}

/** In an element of its own: GitHub's link and mention filters look at one text node, and a copy stays exact. */
function apart(character: string): string {
  return `<span>${character}</span>`;
}

function entity(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

function longestRun(value: string): number {
  return (value.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

/** U+2400 and on hold a picture of each control of ASCII; the others have none. */
function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code === 9) return ' ';
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : `[U+${codeOf(character)}]`;
}
