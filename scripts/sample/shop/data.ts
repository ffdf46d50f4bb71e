/** Rows of the database shop: arithmetic and md5 of the row's number, so every load is the same. */
import { days, type Volume } from '../volume.ts';

/** Customers; most of them were referred by an earlier one. */
export function customersSql({ customers }: Volume): string {
  return `
INSERT INTO app.customer
  (token, name, email, address, tags, profile, credit, last_login, referred_by, registered_at, updated_at)
SELECT md5('token ' || n)::uuid,
       (ARRAY['Ada', 'Björn', 'Chloé', 'Dağhan', 'Eszter', 'Łukasz', 'Noël'])[1 + n % 7] || ' ' || initcap(substr(md5('name ' || n), 1, 8)),
       'Customer.' || n || '@example.com',
       ROW((n % 200) || ' Main "Street", Apt (' || n % 9 || ')', lpad((n % 99999)::text, 5, '0'), 'Köln', 'DE')::app.address,
       ARRAY['tag ' || n % 5, 'since,' || 2015 + n % 10],
       jsonb_build_object('newsletter', n % 2 = 0, 'theme', CASE n % 3 WHEN 0 THEN 'dark' ELSE 'light' END, 'score', n % 1000 / 10.0),
       (n % 500) / 4.0,
       ('10.' || n % 256 || '.' || n / 256 % 256 || '.1')::inet,
       CASE WHEN n % 4 = 0 THEN NULL ELSE 1 + (n * 7) % n END,
       timestamptz '2024-01-01 00:00:00+00' + make_interval(mins => n * 5),
       timestamptz '2025-01-01 00:00:00+00'
FROM generate_series(1, ${customers}) n;
`;
}

/** Categories, two levels deep, and products with a bytea, an hstore and a range each. */
export function productsSql({ products }: Volume): string {
  return `
INSERT INTO catalog.category (parent_id, name) VALUES (NULL, 'Tools'), (NULL, 'Garden'), (NULL, 'Café & Küche');
INSERT INTO catalog.category (parent_id, name)
SELECT 1 + n % 3, 'Shelf ' || n FROM generate_series(1, 21) n;

INSERT INTO catalog.product (category_id, sku, name, attributes, net, tax_rate, thumbnail, warranty, available, updated_at)
SELECT 4 + n % 21,
       chr(65 + n % 26) || 'X-' || n,
       (ARRAY['Hammer', 'Saw', 'Teapot', 'Rake', 'Grinder'])[1 + n % 5] || ' ' || substr(md5('product ' || n), 1, 6),
       public.hstore(ARRAY['colour', 'weight'], ARRAY[(ARRAY['red', 'blue', NULL])[1 + n % 3], (n % 50)::text]),
       1 + (n * 37) % 20000 / 100.0,
       CASE WHEN n % 6 = 0 THEN 0.070 ELSE 0.190 END,
       sha256(convert_to('thumbnail ' || n, 'UTF8')) || decode(repeat('00ff5c27', n % 40), 'hex'),
       make_interval(months => 6 + n % 31),
       daterange('2024-01-01', CASE WHEN n % 10 = 0 THEN date '2025-06-30' END),
       timestamptz '2025-01-01 00:00:00+00'
FROM generate_series(1, ${products}) n;
`;
}

/** Orders over the months of 2025, in the order in which they were placed; one in 250 is a year older. */
export function ordersSql({ orders, customers }: Volume): string {
  return `
INSERT INTO app.orders (placed_at, customer_id, status, net, shipping, ship_to, attributes)
SELECT timestamptz '2025-01-01 00:00:00+00'
         + make_interval(secs => floor(n * ${days * 86_400}.0 / ${orders}))
         - make_interval(hours => CASE WHEN n % 250 = 0 THEN 8760 ELSE 0 END),
       1 + (n::bigint * 7919) % ${customers},
       CASE WHEN n % 50 = 0 THEN 'new' WHEN n % 45 = 0 THEN 'on hold' WHEN n % 40 = 0 THEN 'returned' ELSE 'delivered' END::app.order_status,
       (n::bigint * 7907) % 50000 / 100.0,
       CASE WHEN n % 3 = 0 THEN 0 ELSE 4.90 END,
       CASE WHEN n % 8 = 0 THEN ROW(n % 300 || ' Side Street', '50667', 'Köln', 'DE')::app.address END,
       jsonb_build_object('channel', (ARRAY['web', 'phone', 'shop'])[1 + n % 3], 'coupon', substr(md5('coupon ' || n % 997), 1, 8))
FROM generate_series(1, ${orders}) n;
`;
}

/** One to three lines an order. */
export function orderLinesSql({ products }: Volume): string {
  return `
INSERT INTO app.order_line (order_id, placed_at, line, product_id, quantity, price, discounts)
SELECT o.id, o.placed_at, line, 1000 + (o.id * 13 + line * 101) % ${products},
       1 + (o.id + line) % 4,
       (o.id * 29 + line) % 9000 / 100.0,
       CASE WHEN o.id % 10 = 0 THEN ARRAY[0.05, 0.1 * line] END
FROM app.orders o, generate_series(1, 1 + o.id % 3) line
ORDER BY o.id, line;
`;
}

/** Changes that make the triggers write. */
export function changesSql(): string {
  return `
UPDATE catalog.product SET net = net + 1, updated_at = '2025-03-01 00:00:00+00' WHERE id % 4 = 0;
UPDATE app.orders SET status = 'paid' WHERE id % 500 = 0;
DELETE FROM catalog.product p
WHERE p.id % 97 = 0 AND NOT EXISTS (SELECT FROM app.order_line l WHERE l.product_id = p.id);
`;
}
