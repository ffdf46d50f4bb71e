-- Your own health check, asked before and after every upgrade. A status or severity of critical, failed or error blocks.

-- Nobody else may be able to log in as a superuser.
SELECT rolname, CASE WHEN rolname = current_user THEN 'ok' ELSE 'warning' END AS severity
FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY rolname;

-- Every table of the application is there.
SELECT count(*) AS tables, CASE WHEN count(*) > 0 THEN 'ok' ELSE 'critical' END AS status
FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace;
