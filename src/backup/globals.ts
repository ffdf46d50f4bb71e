/**
 * Restores the roles of a `pg_dumpall --globals-only` file over a connection instead of psql: a dump's backslash
 * commands could run programs (CVE-2025-8714), and there are none over the protocol.
 */
import { type Connection, quoteIdent } from '../postgres/connection.ts';
import { tokens } from '../postgres/lexer.ts';

/** Last line of every complete file: pg_dumpall does not notice that a full disk cut its output. */
export const lastLine = '-- PostgreSQL database cluster dump complete';

/** A literal as pg_dumpall writes it: with backslashes as E'...' where it has some. */
const literal = `(?:E'(?:[^'\\\\]|''|\\\\.)*'|'(?:[^']|'')*')`;

/** What follows the name in the one ALTER ROLE ... WITH that pg_dumpall writes for a role (dumpRoles in pg_dumpall.c). */
const attributes = new RegExp(
  `^((?: [A-Z]+)*?)((?: CONNECTION LIMIT -?\\d+)?)(?: PASSWORD ${literal})?(?: VALID UNTIL ${literal})?;$`,
);

/**
 * The bootstrap role's attributes without what would lock this process out of its scratch server: the source's
 * password, when it ends, and that the role may not log in. Everything else stays.
 */
function withoutLogin(line: string, names: readonly string[]): string {
  const start = names.map((name) => `ALTER ROLE ${name} WITH`).find((text) => line.startsWith(text));
  const found = start === undefined ? null : attributes.exec(line.slice(start.length));
  if (!found) return line;
  const [, words = '', limit = ''] = found;
  return `${start}${words.replace(/ NOLOGIN\b/, ' LOGIN')}${limit};`;
}

/** Where lines begin inside of a quoted text or name. */
function linesInQuotes(text: string): Set<number> {
  const starts = new Set<number>();
  for (const { kind, start, end } of tokens(text)) {
    if (kind !== 'text' && kind !== 'name' && kind !== 'comment') continue;
    for (let at = text.indexOf('\n', start); at >= 0 && at + 1 < end; at = text.indexOf('\n', at + 1))
      starts.add(at + 1);
  }
  return starts;
}

/**
 * Statements that a scratch server can run, in their order. Left out: psql's own lines, and the bootstrap role (it
 * exists, with a password of its own: see withoutLogin). Tablespaces are made inside the scratch server's own directory:
 * their places belong to the source.
 *
 * CREATE TABLESPACE may not share a transaction with anything, and a connection runs a text with several
 * statements as one: each is an element of its own, and what stands between two of them is one element.
 */
export function readGlobals(text: string, superuser: string): string[] {
  const names = [superuser, quoteIdent(superuser)];
  const left = names.map((name) => `CREATE ROLE ${name};`);
  const scripts: string[] = [];
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.some((line) => line !== '' && !line.startsWith('--'))) scripts.push(lines.join('\n'));
    lines = [];
  };
  const quoted = linesInQuotes(text);
  let at = 0;
  for (const line of text.split('\n')) {
    const start = at;
    at += line.length + 1;
    // Whoever may set something for his own role writes such lines too: they are data.
    if (quoted.has(start)) {
      lines.push(line);
      continue;
    }
    if (/^\\(un)?restrict [A-Za-z0-9]+$/.test(line) || left.includes(line)) continue;
    const made = /^(CREATE TABLESPACE .+ OWNER .+ LOCATION )'(?:[^']|'')*';$/.exec(line);
    if (made) {
      flush();
      scripts.push(`${made[1]}''`);
    } else lines.push(withoutLogin(line, names));
  }
  flush();
  return scripts;
}

/** Runs the script. @throws the server's error for the first statement that fails */
export async function restoreGlobals(connection: Connection, text: string, superuser: string): Promise<void> {
  const scripts = readGlobals(text, superuser);
  // Not known to every minor version, and not needed without tablespaces.
  if (scripts.some((script) => script.startsWith('CREATE TABLESPACE ')))
    await connection.script('SET allow_in_place_tablespaces = on');
  for (const script of scripts) await connection.script(script);
}
