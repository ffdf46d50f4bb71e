/** Large objects, which a dump carries in a way of its own. */

/** Object ids are chosen, not assigned, so that every load has the same ones. */
export const firstObject = 800_001;
export const objects = 24;

/**
 * 24 large objects of bytes that do not compress (SHA-256 of a counter): four of `bigObject` bytes,
 * twenty of up to 20 kB. The table keeps the digest of each, so that what a restore made can be checked.
 */
export function documentsSql(bigObject: number): string {
  const hashes = (bytes: string): string => `GREATEST(1, ${bytes} / 32)`;
  return `
WITH made AS (
  SELECT n, (SELECT string_agg(sha256(convert_to(n || ' ' || i, 'UTF8')), ''::bytea ORDER BY i)
             FROM generate_series(1, CASE WHEN n % 6 = 0 THEN ${hashes(String(bigObject))} ELSE ${hashes('n * 850')} END) i) AS bytes
  FROM generate_series(1, ${objects}) n
)
INSERT INTO support.document (title, content, digest)
SELECT 'Scan ' || n || '.pdf', lo_from_bytea(${firstObject - 1} + n, bytes), sha256(bytes)
FROM made ORDER BY n;

GRANT SELECT ON LARGE OBJECT ${firstObject} TO shop_reader;
GRANT SELECT, UPDATE ON LARGE OBJECT ${firstObject + 1} TO shop_app;
COMMENT ON LARGE OBJECT ${firstObject} IS 'A scanned letter';
`;
}
