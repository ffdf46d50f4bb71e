/**
 * The table of contents of a dump, as `pg_restore --list` prints it: one entry a line, `ID; CATALOG OID KIND SCHEMA
 * NAME OWNER`; lines that begin with `;` are comments. A restore takes such lines back by `--use-list`. Pure.
 */

/** Lines of entries. */
export function entriesOf(list: string): string[] {
  return list.split('\n').filter((line) => /^\d+; /.test(line));
}

/** Whether an entry is of this kind, for example `MATERIALIZED VIEW DATA`. */
function isOf(entry: string, kind: string): boolean {
  return new RegExp(`^\\d+; \\d+ \\d+ ${kind} `).test(entry);
}

/**
 * What has to be there before an extension can be made by hand: the database itself, and its schemas. Comments and
 * grants belong to it too: pg_restore leaves them out where their object is not in the list.
 */
export function isFoundation(entry: string): boolean {
  return [
    'DATABASE',
    'DATABASE PROPERTIES',
    'ENCODING',
    'STDSTRINGS',
    'SEARCHPATH',
    'SCHEMA',
    '(?:ACL|COMMENT|SECURITY LABEL) - (?:DATABASE|SCHEMA)',
  ].some((kind) => isOf(entry, kind));
}

/** Whether an entry makes an extension. */
export function isExtension(entry: string): boolean {
  return isOf(entry, 'EXTENSION');
}

/** Whether an entry makes a foreign table. */
export function isForeignTable(entry: string): boolean {
  return isOf(entry, 'FOREIGN TABLE');
}

/**
 * What has to wait until it is known which materialized views read foreign tables: filling them, and event triggers,
 * which would see that.
 */
export function comesAfterForeign(entry: string): boolean {
  return (
    isOf(entry, 'MATERIALIZED VIEW DATA') ||
    isOf(entry, 'EVENT TRIGGER') ||
    isOf(entry, '(?:COMMENT|SECURITY LABEL) - EVENT TRIGGER')
  );
}

/** A materialized view as the catalog names it; `owner` is a role. */
export interface NamedView {
  schema: string;
  name: string;
  owner: string;
}

/** Whether an entry fills this materialized view. Names are as they are, not quoted; line ends became spaces. */
export function fills(entry: string, { schema, name, owner }: NamedView): boolean {
  const plain = `${schema} ${name} ${owner}`.replaceAll(/[\r\n]/g, ' ');
  return isOf(entry, 'MATERIALIZED VIEW DATA') && entry.endsWith(`MATERIALIZED VIEW DATA ${plain}`);
}

/** `CREATE EXTENSION` of a script that pg_restore wrote. */
export interface ExtensionStatement {
  /** Not quoted. */
  name: string;
  /** Without the closing semicolon. */
  sql: string;
}

/** The statements that make extensions, in their order. */
export function extensionStatements(script: string): ExtensionStatement[] {
  return [
    ...script.matchAll(
      /^CREATE EXTENSION IF NOT EXISTS ("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)( WITH SCHEMA ("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*))?;$/gm,
    ),
  ].map(([statement, quoted = '']) => ({
    name: quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted,
    sql: statement.slice(0, -1),
  }));
}
