-- What the application does first: run on the restored copy, where it may write. A statement that fails, fails the
-- rehearsal.
BEGIN;
INSERT INTO app.orders (customer_id, note) VALUES (1, 'rehearsal');
ROLLBACK;
SELECT 1 / (count(*) > 0)::int AS has_orders FROM app.orders;
