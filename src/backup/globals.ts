/**
 * Restores the roles of a `pg_dumpall --globals-only` file over a connection instead of psql: a dump's backslash
 * commands could run programs (CVE-2025-8714), and there are none over the protocol.
 */
import { type Connection, quoteIdent } from '../postgres/connection.ts';

/** Last line of every complete file: pg_dumpall does not notice that a full disk cut its output. */
export const lastLine = '-- PostgreSQL database cluster dump complete';

/**
 * Statements that a scratch server can run, in their order. Left out: psql's own lines, and the bootstrap role (it
 * exists). Tablespaces are made inside the scratch server's own directory: their places belong to the source.
 *
 * CREATE TABLESPACE may not share a transaction with anything, and a connection runs a text with several
 * statements as one: each is an element of its own, and what stands between two of them is one element.
 */
export function readGlobals(text: string, superuser: string): string[] {
  const left = [`CREATE ROLE ${superuser};`, `CREATE ROLE ${quoteIdent(superuser)};`];
  const scripts: string[] = [];
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.some((line) => line !== '' && !line.startsWith('--'))) scripts.push(lines.join('\n'));
    lines = [];
  };
  for (const line of text.split('\n')) {
    if (/^\\(un)?restrict [A-Za-z0-9]+$/.test(line) || left.includes(line)) continue;
    const made = /^(CREATE TABLESPACE .+ OWNER .+ LOCATION )'(?:[^']|'')*';$/.exec(line);
    if (made) {
      flush();
      scripts.push(`${made[1]}''`);
    } else lines.push(line);
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
