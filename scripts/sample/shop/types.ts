/** Schemas, types and sequences of the database shop. */

/** Run as shop_owner, before the tables. */
export function shopTypesSql(): string {
  return `
CREATE SCHEMA app;
CREATE SCHEMA catalog;
CREATE SCHEMA support;
CREATE SCHEMA reporting;
COMMENT ON SCHEMA app IS 'Customers and what they order';
COMMENT ON SCHEMA reporting IS 'Views for people, nothing that cannot be rebuilt';

-- Objects made later by shop_owner are readable without another GRANT.
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA app, catalog GRANT SELECT ON TABLES TO shop_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA app GRANT USAGE ON SEQUENCES TO shop_app;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TYPE app.order_status AS ENUM ('new', 'paid', 'on hold', 'shipped', 'delivered', 'returned');
COMMENT ON TYPE app.order_status IS 'The life of an order, in this sequence';

CREATE TYPE support.priority AS ENUM ('low', 'normal', 'high');

CREATE DOMAIN app.email AS public.citext
  CONSTRAINT looks_like_email CHECK (VALUE ~ '^[^@ ]+@[^@ ]+[.][^@ ]+$');
CREATE DOMAIN app.amount AS numeric(12, 2)
  CONSTRAINT not_negative CHECK (VALUE >= 0);
COMMENT ON DOMAIN app.amount IS 'Euros and cents';

CREATE TYPE app.address AS (street text, postcode text, city text, country char(2));

-- Stands alone: no column owns it.
CREATE SEQUENCE app.order_number AS bigint START WITH 100001;
COMMENT ON SEQUENCE app.order_number IS 'Printed on invoices; gaps are fine, repeats are not';
`;
}
