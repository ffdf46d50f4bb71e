/** `default_transaction_read_only` of databases and roles: how it is, how it is set, and how it was. */
import { UpgradeError } from '../errors.ts';
import { type Connection, quoteIdent } from '../postgres/connection.ts';

/** The setting by which a database or a role is made read-only. */
export const setting = 'default_transaction_read_only';

/** A database, or a role in every database. */
export interface Holder {
  kind: 'database' | 'role';
  name: string;
}

/** One of them with what pg_db_role_setting has for it; null for nothing. */
export interface Held extends Holder {
  before: string | null;
}

/** Names, as the spec has them. */
export interface Scope {
  databases: readonly string[];
  roles: readonly string[];
}

const storedIn = (row: string): string => `(SELECT pg_catalog.substr(c, ${setting.length + 2})
  FROM pg_catalog.unnest(${row}.setconfig) AS c WHERE pg_catalog.starts_with(c, '${setting}='))`;

/** $1: names of databases, $2: names of roles. */
const heldSql = `
SELECT 'database' AS kind, d.datname::pg_catalog.text AS name, ${storedIn('s')} AS before
FROM pg_catalog.pg_database AS d
LEFT JOIN pg_catalog.pg_db_role_setting AS s ON s.setdatabase = d.oid AND s.setrole = 0
WHERE d.datname::pg_catalog.text = ANY ($1::pg_catalog.text[])
UNION ALL
SELECT 'role', r.rolname::pg_catalog.text, ${storedIn('s')}
FROM pg_catalog.pg_roles AS r
LEFT JOIN pg_catalog.pg_db_role_setting AS s ON s.setrole = r.oid AND s.setdatabase = 0
WHERE r.rolname::pg_catalog.text = ANY ($2::pg_catalog.text[])`;

/**
 * What is closer to a session wins: role in database, role, database (documentation, "ALTER ROLE", Notes). Settings of
 * a role that cannot log in are never read.
 */
const overridesSql = `
SELECT r.rolname::pg_catalog.text AS role, d.datname::pg_catalog.text AS database, ${storedIn('s')} AS value
FROM pg_catalog.pg_db_role_setting AS s
JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole AND r.rolcanlogin
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE ${storedIn('s')} IS NOT NULL
  AND (d.datname::pg_catalog.text = ANY ($1::pg_catalog.text[])
    OR (s.setdatabase = 0 AND pg_catalog.cardinality($1::pg_catalog.text[]) > 0
        AND r.rolname::pg_catalog.text <> ALL ($2::pg_catalog.text[]))
    OR (s.setdatabase <> 0 AND r.rolname::pg_catalog.text = ANY ($2::pg_catalog.text[])))
ORDER BY 1, 2`;

/** As the server reads a boolean: every unambiguous beginning of true, yes, on, and 1. */
function isOn(value: string): boolean {
  return /^(?:on|1|t(?:r(?:ue?)?)?|y(?:es?)?)$/i.test(value);
}

/** What is there of the scope, with its value. */
export async function readHeld(connection: Connection, { databases, roles }: Scope): Promise<Held[]> {
  return await connection.query<Held & Record<string, unknown>>(heldSql, [databases, roles]);
}

/**
 * Looks whether the whole scope can be made read-only, and changes nothing.
 * @returns every database and role once, in the order of the spec
 * @throws UpgradeError `read-only-unknown`, `read-only-overridden`
 */
export async function lookAtScope(connection: Connection, scope: Scope): Promise<Held[]> {
  const there = await readHeld(connection, scope);
  const asked: Holder[] = [
    ...[...new Set(scope.databases)].map((name) => ({ kind: 'database', name }) as const),
    ...[...new Set(scope.roles)].map((name) => ({ kind: 'role', name }) as const),
  ];
  const found = asked.map((holder) => ({
    holder,
    held: there.find(({ kind, name }) => kind === holder.kind && name === holder.name),
  }));
  const unknown = found.flatMap(({ holder, held }) => (held ? [] : [described(holder)]));
  if (unknown.length > 0) {
    throw new UpgradeError(
      'read-only-unknown',
      `The target has no ${unknown.join(', no ')}, which the spec wants to be read-only.`,
      {
        phase: 'upgrade',
        hint: 'Nothing was made read-only. Correct read-only.databases and read-only.roles: names are as the server has them, small and capital letters apart.',
        docs: 'read-only.md#databases-and-roles',
      },
    );
  }
  await assertNotOverridden(connection, scope);
  return found.flatMap(({ held }) => (held ? [held] : []));
}

async function assertNotOverridden(connection: Connection, scope: Scope): Promise<void> {
  const rows = await connection.query<{ role: string; database: string | null; value: string }>(
    overridesSql,
    [scope.databases, scope.roles],
  );
  const off = rows.filter(({ value }) => !isOn(value));
  if (off.length === 0) return;
  const where = ({ role, database }: (typeof off)[number]): string =>
    `ALTER ROLE ${quoteIdent(role)}${database === null ? '' : ` IN DATABASE ${quoteIdent(database)}`}`;
  throw new UpgradeError(
    'read-only-overridden',
    `${off.length === 1 ? 'A role has a setting of its own' : `${off.length} roles have settings of their own`} by which it could write all the same: ${off
      .slice(0, 5)
      .map(
        ({ role, database }) =>
          `role ${JSON.stringify(role)}${database === null ? '' : ` in database ${JSON.stringify(database)}`}`,
      )
      .join(', ')}.`,
    {
      phase: 'upgrade',
      hint: `Nothing was made read-only. Take it away: ${off
        .slice(0, 5)
        .map((each) => `${where(each)} RESET ${setting};`)
        .join(' ')} Or name the role in read-only.roles where its setting is for all databases.`,
      docs: 'read-only.md#databases-and-roles',
    },
  );
}

/** For people: `database "shop"`. */
export function described({ kind, name }: Holder): string {
  return `${kind} ${JSON.stringify(name)}`;
}

/** @param value what the setting shall be; null takes it away */
export function alterSql({ kind, name }: Holder, value: string | null): string {
  const what = `ALTER ${kind === 'database' ? 'DATABASE' : 'ROLE'} ${quoteIdent(name)}`;
  if (value === null) return `${what} RESET ${setting}`;
  // The server took it as a boolean before: it is a word. Anything else stays out of a statement.
  const word = /^[a-z0-9]+$/i.test(value) ? value : 'off';
  return `${what} SET ${setting} = '${word}'`;
}

/** All or none of them. */
export async function setReadOnly(connection: Connection, held: readonly Holder[]): Promise<void> {
  if (held.length === 0) return;
  await connection.script(['BEGIN', ...held.map((each) => alterSql(each, 'on')), 'COMMIT'].join('; '));
}

/**
 * Puts one back as it was. What is not `on` any more, as we set it, was never set or was changed since by somebody
 * else: it stays.
 * @returns whether anything was changed
 */
export async function putBackSetting(connection: Connection, held: Held): Promise<boolean> {
  const scope: Scope =
    held.kind === 'database' ? { databases: [held.name], roles: [] } : { databases: [], roles: [held.name] };
  const [now] = await readHeld(connection, scope);
  if (now?.before !== 'on') return false;
  if (held.before !== 'on') await connection.script(alterSql(held, held.before));
  return true;
}
