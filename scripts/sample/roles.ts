/** The roles of the sample: they belong to the cluster, so a dump of one database does not carry them. */

/**
 * Seven roles: two owners, two applications, a group, a person in it, and one whose name needs quoting.
 * `legacy_app` has an MD5 password, which PostgreSQL 18 warns about and a later version will refuse.
 */
export function rolesSql(): string {
  return `
SET password_encryption = 'scram-sha-256';

CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE metrics_owner NOLOGIN;
CREATE ROLE shop_reader NOLOGIN;
CREATE ROLE shop_app LOGIN PASSWORD 'sample only: app' CONNECTION LIMIT 20;
CREATE ROLE analyst LOGIN NOINHERIT PASSWORD 'sample only: analyst' VALID UNTIL '2035-01-01 00:00:00+00';
CREATE ROLE "Büro Köln" LOGIN CREATEDB PASSWORD 'sample only: it''s ünïcode';

SET password_encryption = 'md5';
CREATE ROLE legacy_app LOGIN PASSWORD 'sample only: legacy';
RESET password_encryption;

GRANT shop_reader TO analyst, "Büro Köln", legacy_app;
GRANT shop_reader TO shop_owner WITH ADMIN OPTION;
GRANT metrics_owner TO shop_app;

ALTER ROLE shop_app SET search_path = app, catalog, public;
ALTER ROLE analyst SET default_transaction_read_only = on;
ALTER ROLE analyst SET work_mem = '16MB';

COMMENT ON ROLE shop_owner IS 'Owns everything in the database shop';
COMMENT ON ROLE "Büro Köln" IS 'The Cologne office: a name that has to be quoted';
`;
}
