/**
 * What a dump says of a database as a whole (how it was made, its owner, settings, grants, comment), said again for a
 * database of another name. Pure.
 */
import { quoteIdent } from '../postgres/connection.ts';
import { tokens } from '../postgres/lexer.ts';

/** What makes a database, and what is said of it once its content is there. */
export interface Definition {
  /** `CREATE DATABASE`; may share a transaction with nothing. */
  create: string;
  /** In the order of the dump. */
  properties: string[];
}

/** Entries of a table of contents that speak of the database itself; `pg_restore` leaves them out without --create. */
export function isOfDatabase(entry: string): boolean {
  return /^\d+; \d+ \d+ (?:DATABASE |(?:ACL|COMMENT|SECURITY LABEL) - DATABASE )/.test(entry);
}

/** An identifier as a statement has it, as a name. */
function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** One statement with its first `DATABASE name` changed; null where it speaks of something else. */
function renamed(statement: string, name: string, into: string): string | null {
  let afterKeyword = false;
  for (const { kind, start, end } of tokens(statement)) {
    const text = statement.slice(start, end);
    if (kind === 'space') continue;
    if (afterKeyword && (kind === 'name' || kind === 'word') && unquoted(text) === name)
      return `${statement.slice(0, start)}${quoteIdent(into)}${statement.slice(end)}`;
    afterKeyword = kind === 'word' && text.toUpperCase() === 'DATABASE';
  }
  return null;
}

/** Statements without comments, and without what psql takes for itself. */
function statementsOf(script: string): string[] {
  const found: string[] = [];
  let statement = '';
  for (const { kind, start, end } of tokens(script)) {
    if (kind === 'comment' || kind === 'command') continue;
    const text = script.slice(start, end);
    if (kind === 'other' && text === ';') {
      found.push(statement.trim());
      statement = '';
    } else statement += text;
  }
  return found.filter((text) => text !== '');
}

/**
 * Reads what `pg_restore --create --file=-` writes for these entries.
 * @param name as the dump has it
 * @param into the other name
 * @returns null where the script does not make the database
 */
export function definitionFor(script: string, name: string, into: string): Definition | null {
  const said = statementsOf(script).flatMap((statement) => renamed(statement, name, into) ?? []);
  const create = said.find((statement) => /^CREATE DATABASE /.test(statement));
  if (create === undefined) return null;
  return { create, properties: said.filter((statement) => statement !== create) };
}
