/** Functions, a procedure and triggers of the database shop. */

/** Run as shop_owner, after the tables. Bodies name schemas: a restore runs them with an empty search_path. */
export function shopFunctionsSql(): string {
  return `
CREATE FUNCTION app.normalised(name text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.lower(pg_catalog.btrim(name)) $$;
COMMENT ON FUNCTION app.normalised(text) IS 'Used by an index: must stay immutable';
GRANT EXECUTE ON FUNCTION app.normalised(text) TO shop_app, shop_reader;

-- A row that brings its own updated_at (an import) keeps it.
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER touch BEFORE UPDATE ON app.customer FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER touch BEFORE UPDATE ON catalog.product FOR EACH ROW EXECUTE FUNCTION app.touch();

CREATE FUNCTION catalog.log_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO catalog.price_change (product_id, old_net, new_net, at)
  VALUES (NEW.id, OLD.net, NEW.net, NEW.updated_at);
  RETURN NULL;
END
$$;
CREATE TRIGGER log_price AFTER UPDATE OF net ON catalog.product
  FOR EACH ROW WHEN (OLD.net IS DISTINCT FROM NEW.net) EXECUTE FUNCTION catalog.log_price();

CREATE FUNCTION app.log_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.status_change (order_id, was, became)
  SELECT n.id, o.status, n.status
  FROM before o JOIN after n USING (id, placed_at)
  WHERE o.status <> n.status
  ORDER BY n.id;
  RETURN NULL;
END
$$;
CREATE TRIGGER log_status AFTER UPDATE ON app.orders
  REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE FUNCTION app.log_status();

CREATE FUNCTION support.tidy_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.subject := btrim(NEW.subject);
  RETURN NEW;
END
$$;
CREATE TRIGGER "tidy the subject" BEFORE INSERT OR UPDATE ON support.ticket
  FOR EACH ROW EXECUTE FUNCTION support.tidy_subject();

CREATE FUNCTION app.customer_total(customer bigint, OUT orders bigint, OUT total numeric)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT count(*), coalesce(sum(o.total), 0) INTO orders, total
  FROM app.orders o WHERE o.customer_id = customer;
END
$$;
GRANT EXECUTE ON FUNCTION app.customer_total(bigint) TO shop_app;

CREATE PROCEDURE support.close_ticket(ticket bigint, took interval DEFAULT '5 minutes')
  LANGUAGE plpgsql AS $$
BEGIN
  UPDATE support.ticket SET open = false, spent = spent + took WHERE id = ticket;
END
$$;
`;
}
