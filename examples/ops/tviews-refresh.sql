-- Refreshes one TVIEW for real: it writes, so the spec says `read-only: false`. Put in the name of a small one.
SELECT pg_tviews_refresh('test_tview_name') AS refresh_result;
