-- Asked before and after every upgrade: pg_tviews is healthy. A status of critical, failed or error blocks.

-- No TVIEW is in error.
SELECT count(*) AS tviews,
       count(*) FILTER (WHERE last_error IS NOT NULL) AS in_error,
       CASE WHEN count(*) FILTER (WHERE last_error IS NOT NULL) > 0 THEN 'failed' ELSE 'ok' END AS status
FROM pg_tviews_metadata;

-- TVIEWs that were not refreshed for an hour: told, and stops nothing.
SELECT count(*) FILTER (WHERE last_refreshed > now() - interval '1 hour') AS recently_refreshed,
       count(*) FILTER (WHERE last_refreshed IS NULL OR last_refreshed <= now() - interval '1 hour') AS not_refreshed
FROM pg_tviews_metadata;

-- How long refreshes take: the record keeps the answer from before and the one from after.
SELECT avg(last_refresh_duration_ms) FILTER (WHERE last_refreshed > now() - interval '1 hour') AS last_hour_ms,
       avg(last_refresh_duration_ms) FILTER (WHERE last_refreshed <= now() - interval '1 hour'
                                               AND last_refreshed > now() - interval '25 hours') AS day_before_ms
FROM pg_tviews_metadata;
