/**
 * PostgreSQL's tokens, as far as one must know them to see where a statement ends and what in it is data.
 *
 * The npm libraries that split statements were tried and get wrong what matters here: sql-query-identifier 3.2 knows
 * neither escapes in E'' nor nested comments, and takes an unterminated quote for a whole statement.
 */

/**
 * `text`: a constant in quotes. `name`: an identifier in quotes. `word`: a key word or plain identifier. `command`: a
 * backslash outside of quotes and the rest of its line, which psql takes for itself.
 */
export interface Token {
  kind: 'space' | 'comment' | 'text' | 'name' | 'word' | 'number' | 'parameter' | 'command' | 'other';
  start: number;
  end: number;
  /** False where the input ended inside of it. */
  closed: boolean;
}

const letter = /[A-Za-z_\u0080-\uffff]/;
const wordRest = /[A-Za-z0-9_$\u0080-\uffff]*/y;
const numberRest = /[A-Za-z0-9_.]*/y;
const lineRest = /[^\n\r]*/y;
const spaces = /\s+/y;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const parameter = /\$[0-9]+/y;
/** Between two parts of one constant: white space with a line break in it, perhaps comments. */
const continuation = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*'/y;

/** Where a match that begins at `from` ends; -1 where there is none. */
function matchEnd(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** End of what began with a quote at `from`; `escapes`: a backslash takes the next character along. -1: unterminated. */
function quoteEnd(text: string, from: number, quote: string, escapes: boolean): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (!escapes) {
      at = text.indexOf(quote, at);
      if (at < 0) return -1;
    }
    const here = text[at];
    if (here === '\\' && escapes) at += 1;
    else if (here === quote) {
      if (text[at + 1] === quote) at += 1;
      else {
        const next = quote === "'" ? matchEnd(continuation, text, at + 1) : -1;
        if (next < 0) return at + 1;
        at = next - 1;
      }
    }
  }
  return -1;
}

/** Comments nest. */
function commentEnd(text: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let depth = 0; ; ) {
    const found = mark.exec(text);
    if (!found) return -1;
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
}

/** Every token, one after the other, without a gap. Never throws, whatever the input. */
export function* tokens(text: string): Generator<Token> {
  let start = 0;
  const token = (kind: Token['kind'], end: number): Token => {
    const made = { kind, start, end: end < 0 ? text.length : end, closed: end >= 0 };
    start = made.end;
    return made;
  };
  while (start < text.length) {
    const here = text[start] as string;
    const two = text.slice(start, start + 2);
    const three = text.slice(start, start + 3).toUpperCase();
    if (/\s/.test(here)) yield token('space', matchEnd(spaces, text, start));
    else if (two === '--') yield token('comment', matchEnd(lineRest, text, start));
    else if (here === '\\') yield token('command', matchEnd(lineRest, text, start));
    else if (two === '/*') yield token('comment', commentEnd(text, start));
    else if (here === "'") yield token('text', quoteEnd(text, start, "'", false));
    else if (here === '"') yield token('name', quoteEnd(text, start, '"', false));
    else if (/^[eE]'$/.test(two)) yield token('text', quoteEnd(text, start + 1, "'", true));
    else if (/^[bBxXnN]'$/.test(two)) yield token('text', quoteEnd(text, start + 1, "'", false));
    else if (three === "U&'") yield token('text', quoteEnd(text, start + 2, "'", false));
    else if (three === 'U&"') yield token('name', quoteEnd(text, start + 2, '"', false));
    else if (letter.test(here)) yield token('word', matchEnd(wordRest, text, start));
    else if (/[0-9]/.test(here)) yield token('number', matchEnd(numberRest, text, start));
    else if (here === '$' && matchEnd(parameter, text, start) > 0)
      yield token('parameter', matchEnd(parameter, text, start));
    else if (here === '$' && matchEnd(dollarTag, text, start) > 0) {
      const body = matchEnd(dollarTag, text, start);
      const tag = text.slice(start, body);
      const end = text.indexOf(tag, body);
      yield token('text', end < 0 ? -1 : end + tag.length);
    } else yield token('other', start + 1);
  }
}
