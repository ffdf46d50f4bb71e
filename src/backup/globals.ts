/**
 * Restores the roles of a `pg_dumpall --globals-only` file over a connection instead of psql: a dump's backslash
 * commands could run programs (CVE-2025-8714), and there are none over the protocol.
 */
import { type Connection, quoteIdent } from '../postgres/connection.ts';

export interface GlobalsScript {
  statements: string;
  /** Names of tablespaces; the scratch server makes them inside its own directory. */
  tablespaces: string[];
}

/**
 * Takes out what cannot run on a scratch server: psql's own lines, the bootstrap role (it exists), and the
 * places of tablespaces (they belong to the source).
 */
export function readGlobals(text: string, superuser: string): GlobalsScript {
  const bootstrap = `CREATE ROLE ${quoteIfNeeded(superuser)};`;
  const tablespaces: string[] = [];
  const statements = text
    .split('\n')
    .filter(
      (line) =>
        !/^\\(un)?restrict [A-Za-z0-9]+$/.test(line) &&
        line !== bootstrap &&
        line !== `CREATE ROLE ${quoteIdent(superuser)};`,
    )
    .filter((line) => {
      const match = /^CREATE TABLESPACE (.+?) OWNER (.+?) LOCATION '(?:[^']|'')*';$/.exec(line);
      if (match) tablespaces.push(`CREATE TABLESPACE ${match[1]} OWNER ${match[2]} LOCATION ''`);
      return !match;
    })
    .join('\n');
  return { statements, tablespaces };
}

function quoteIfNeeded(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdent(name);
}

/** Runs the script. @throws the server's error for the first statement that fails */
export async function restoreGlobals(connection: Connection, text: string, superuser: string): Promise<void> {
  const { statements, tablespaces } = readGlobals(text, superuser);
  const grants = statements.split('\n').filter((line) => /TABLESPACE/.test(line));
  await connection.script(
    statements
      .split('\n')
      .filter((line) => !grants.includes(line))
      .join('\n'),
  );
  if (tablespaces.length === 0) return;
  await connection.script('SET allow_in_place_tablespaces = on');
  for (const statement of tablespaces) await connection.script(statement);
  for (const grant of grants) await connection.script(grant);
}
