CREATE TABLE @extschema@.pgu_views_metadata (
  name text PRIMARY KEY,
  last_refreshed timestamptz,
  last_refresh_duration_ms double precision,
  last_error text
);
SELECT pg_catalog.pg_extension_config_dump('@extschema@.pgu_views_metadata', '');

CREATE FUNCTION @extschema@.pgu_views_version() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '1.0'::pg_catalog.text$$;

CREATE FUNCTION @extschema@.pgu_views_refresh(view text) RETURNS text LANGUAGE sql AS $$
  UPDATE @extschema@.pgu_views_metadata SET last_refreshed = pg_catalog.now(), last_refresh_duration_ms = 1, last_error = NULL
  WHERE name = view RETURNING name
$$;
