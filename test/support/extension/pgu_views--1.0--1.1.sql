CREATE OR REPLACE FUNCTION @extschema@.pgu_views_version() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '1.1'::pg_catalog.text$$;

CREATE FUNCTION @extschema@.pgu_views_count() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.count(*) FROM @extschema@.pgu_views_metadata
$$;
