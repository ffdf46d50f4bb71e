/** The two databases of the sample, and what is set on them from outside. */

/** Their names, in the order in which they are made. */
export const databases = ['shop', 'metrics'] as const;

/** One statement each: CREATE DATABASE may not share a transaction with anything. */
export function createDatabasesSql(): string[] {
  // template0, because template1 may have been given another encoding or objects of its own.
  return [
    `CREATE DATABASE shop OWNER shop_owner TEMPLATE template0 ENCODING 'UTF8'`,
    `CREATE DATABASE metrics OWNER metrics_owner TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT 50`,
  ];
}

/** Settings, grants and comments on the databases; `pg_dump --create` carries them. */
export function databaseSettingsSql(): string {
  return `
ALTER DATABASE shop SET timezone = 'Europe/Berlin';
ALTER DATABASE shop SET idle_in_transaction_session_timeout = '10min';
ALTER DATABASE metrics SET timezone = 'UTC';
ALTER DATABASE metrics SET work_mem = '8MB';

ALTER ROLE shop_app IN DATABASE shop SET statement_timeout = '30s';
ALTER ROLE analyst IN DATABASE metrics SET search_path = telemetry, public;

REVOKE CONNECT ON DATABASE shop FROM PUBLIC;
GRANT CONNECT ON DATABASE shop TO shop_app, shop_reader, legacy_app;
GRANT CONNECT, TEMPORARY ON DATABASE shop TO "Büro Köln";

COMMENT ON DATABASE shop IS 'Sample: a web shop';
COMMENT ON DATABASE metrics IS 'Sample: readings of its machines';
`;
}
