-- After the upgrade, before anybody is let in again: pg_tviews answers, and can read its metadata.
SELECT pg_tviews_version() AS version;

SELECT count(*) AS tviews, count(*) FILTER (WHERE last_error IS NULL) AS healthy,
       CASE WHEN count(*) FILTER (WHERE last_error IS NOT NULL) > 0 THEN 'failed' ELSE 'ok' END AS status
FROM pg_tviews_metadata;
