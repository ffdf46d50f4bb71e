/** Rows of the database metrics, the same in every load. */
import { days, type Volume } from '../volume.ts';

/** Run as metrics_owner. Samples arrive in the order of time, which is what a BRIN index is for. */
export function metricsDataSql({ devices, samples }: Volume): string {
  return `
INSERT INTO telemetry.device (serial_number, labels, place, network, installed_on, reports_every)
SELECT 'Dev-' || lpad(n::text, 4, '0'),
       public.hstore('hall', chr(65 + n % 4)) || public.hstore('line', (n % 12)::text),
       point(n % 20, n / 20),
       ('192.168.' || n % 256 || '.0/24')::cidr,
       date '2024-06-01' + n % 200,
       make_interval(secs => 15 * (1 + n % 4))
FROM generate_series(1, ${devices}) n;

INSERT INTO telemetry.sample (device_id, at, value, quality)
SELECT 1 + n % ${devices},
       timestamptz '2025-01-01 00:00:00+00' + make_interval(secs => floor(n * ${days * 86_400}.0 / ${samples})),
       (n::bigint * 7919) % 100000 / 1000.0 - 20,
       CASE WHEN n % 1000 = 0 THEN 'bad' WHEN n % 90 = 0 THEN 'suspect' ELSE 'good' END::telemetry.quality
FROM generate_series(1, ${samples}) n;

INSERT INTO telemetry.daily (device_id, day, samples, lowest, highest)
SELECT device_id, (at AT TIME ZONE 'UTC')::date, count(*), min(value), max(value)
FROM telemetry.sample GROUP BY 1, 2 ORDER BY 1, 2;

INSERT INTO telemetry.latest (device_id, at, value)
SELECT DISTINCT ON (device_id) device_id, at, value FROM telemetry.sample ORDER BY device_id, at DESC, value;

INSERT INTO "Öffentliche Daten"."Messwert d'été" ("Größe", "Wert")
SELECT (ARRAY['Wärme', 'Fläche', 'Änderung'])[1 + n % 3], n / 8.0 FROM generate_series(1, 30) n;
`;
}
