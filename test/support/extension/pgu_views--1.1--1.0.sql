ALTER EXTENSION pgu_views DROP FUNCTION @extschema@.pgu_views_count();
DROP FUNCTION @extschema@.pgu_views_count();

CREATE OR REPLACE FUNCTION @extschema@.pgu_views_version() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '1.0'::pg_catalog.text$$;
