/** Views, a materialized view, a publication, and who may do what. */

/** Run as shop_owner, after the data: the materialized view is filled as it is made. */
export function shopReportingSql(): string {
  return `
CREATE VIEW reporting.open_order WITH (security_barrier = true) AS
SELECT o.id, o.placed_at, o.status, o.total, c.name, (c.address).city AS city
FROM app.orders o JOIN app.customer c ON c.id = o.customer_id
WHERE o.status IN ('new', 'paid', 'on hold');
COMMENT ON VIEW reporting.open_order IS 'What the warehouse still has to do';

-- Groups by the primary key alone: pg_dump has to make this view after that key.
CREATE VIEW reporting.product_sold AS
SELECT p.id, p.name, p.gross, count(l.line) AS lines, sum(l.quantity) AS quantity
FROM catalog.product p LEFT JOIN app.order_line l ON l.product_id = p.id
GROUP BY p.id;

CREATE MATERIALIZED VIEW reporting.monthly_sales AS
SELECT date_trunc('month', placed_at AT TIME ZONE 'UTC') AS month, status,
       count(*) AS orders, sum(total) AS total
FROM app.orders
GROUP BY 1, 2
ORDER BY 1, 2;
CREATE UNIQUE INDEX monthly_sales_once ON reporting.monthly_sales (month, status);

-- Reads the one above: a restore has to fill them in this order.
CREATE MATERIALIZED VIEW reporting.yearly_sales AS
SELECT extract(year FROM month)::integer AS year, sum(orders) AS orders, sum(total) AS total
FROM reporting.monthly_sales GROUP BY 1;

CREATE PUBLICATION orders_feed FOR TABLE app.customer, app.orders, catalog.product
  WITH (publish = 'insert, update, delete', publish_via_partition_root = true);
COMMENT ON PUBLICATION orders_feed IS 'For the accounting system';
`;
}

/** Run as shop_owner, last. */
export function shopGrantsSql(): string {
  return `
GRANT USAGE ON SCHEMA app, catalog, support TO shop_app;
GRANT USAGE ON SCHEMA app, catalog, support, reporting TO shop_reader;
GRANT USAGE ON SCHEMA app TO legacy_app WITH GRANT OPTION;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app, support TO shop_app;
GRANT SELECT ON ALL TABLES IN SCHEMA catalog, reporting TO shop_reader, shop_app;
GRANT SELECT ON support.ticket TO shop_reader;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA support TO shop_app;
GRANT EXECUTE ON PROCEDURE support.close_ticket(bigint, interval) TO shop_app;

-- The legacy application may see a customer, but not how to reach one.
GRANT SELECT (id, name, registered_at), UPDATE (tags) ON app.customer TO legacy_app;
REVOKE DELETE, TRUNCATE ON app.ledger FROM shop_app;
GRANT SELECT ON support."the customer's ""special"" wishes" TO "Büro Köln" WITH GRANT OPTION;
REVOKE USAGE ON TYPE app.address FROM PUBLIC;
GRANT USAGE ON TYPE app.address TO shop_app, shop_reader, legacy_app;
`;
}
