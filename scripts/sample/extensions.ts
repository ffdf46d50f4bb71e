/** Which of PostgreSQL's own (contrib) extensions the sample installs. */
import type { Connection } from '../../src/postgres/connection.ts';

/** Columns, indexes and constraints of the sample are made of these. */
export const required = ['btree_gist', 'citext', 'hstore', 'pg_trgm'] as const;

/** Installed where the server has them. pg_stat_statements can be created without being preloaded. */
export const optional = ['pg_stat_statements', 'pgcrypto', 'unaccent'] as const;

/**
 * The extensions to create on this server.
 * @throws Error where a required one is not on the server's disk
 */
export async function pickExtensions(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ name: string }>('SELECT name FROM pg_available_extensions');
  const available = new Set(rows.map(({ name }) => name));
  const missing = required.filter((name) => !available.has(name));
  if (missing.length > 0) {
    throw new Error(
      `The sample needs ${missing.join(', ')}: install PostgreSQL's contrib package on the server.`,
    );
  }
  return [...required, ...optional.filter((name) => available.has(name))];
}

/** pg_trgm lives in a schema of its own, as many sites have it; the others in public. */
export function extensionsSql(names: readonly string[]): string {
  const schema = (name: string): string => (name === 'pg_trgm' ? 'extensions' : 'public');
  return `
CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
${names.map((name) => `CREATE EXTENSION "${name}" SCHEMA ${schema(name)};`).join('\n')}
`;
}
