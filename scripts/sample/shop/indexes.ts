/** What is quicker to build once the rows are there: indexes, and foreign keys of the big tables. */

/** Run as shop_owner, after the data. */
export function shopIndexesSql(): string {
  return `
CREATE UNIQUE INDEX customer_token_once ON app.customer (token);
CREATE INDEX customer_name_normalised ON app.customer (app.normalised(name));
CREATE INDEX customer_tags ON app.customer USING gin (tags);
CREATE INDEX customer_last_login ON app.customer USING hash (last_login);

CREATE UNIQUE INDEX product_sku_once ON catalog.product (upper(sku)) INCLUDE (name);
CREATE INDEX product_name_similar ON catalog.product USING gin (name extensions.gin_trgm_ops);
CREATE INDEX product_search ON catalog.product USING gin (search);
CREATE INDEX product_attributes ON catalog.product USING gist (attributes);
CREATE INDEX product_available ON catalog.product USING gist (available);

CREATE INDEX orders_customer ON app.orders (customer_id, placed_at DESC);
CREATE INDEX orders_open ON app.orders (placed_at) WHERE status IN ('new', 'on hold');
CREATE INDEX orders_attributes ON app.orders USING gin (attributes jsonb_path_ops);
CREATE INDEX orders_placed ON app.orders USING brin (placed_at) WITH (pages_per_range = 32);
COMMENT ON INDEX app.orders_open IS 'The dashboard of the warehouse';

CREATE INDEX order_line_product ON app.order_line (product_id);

ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey
  FOREIGN KEY (customer_id) REFERENCES app.customer;
ALTER TABLE app.order_line ADD CONSTRAINT order_line_order_fkey
  FOREIGN KEY (order_id, placed_at) REFERENCES app.orders ON DELETE CASCADE;
ALTER TABLE app.order_line ADD CONSTRAINT order_line_product_fkey
  FOREIGN KEY (product_id) REFERENCES catalog.product;

-- Never validated, as such a constraint often is: a dump must carry that, too.
ALTER TABLE app.customer ADD CONSTRAINT name_is_not_empty CHECK (name <> '') NOT VALID;

ALTER TABLE app.orders ALTER COLUMN customer_id SET STATISTICS 200;
CREATE STATISTICS catalog.product_rate_by_category (dependencies, ndistinct) ON category_id, tax_rate FROM catalog.product;
ALTER TABLE app.ledger SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
`;
}
