/**
 * PostgreSQL's own version numbers: two parts since 10 (`15.20`), and as the server reports them
 * in `server_version_num` (150020 = 15 * 10000 + 20).
 * Source: https://www.postgresql.org/support/versioning/ and the documentation of `server_version_num`.
 */
import { UpgradeError } from '../errors.ts';

/** Major and minor, for example 15 and 20. */
export interface PgVersion {
  major: number;
  minor: number;
}

const pattern = /^([1-9]\d)\.(0|[1-9]\d{0,2})$/;

/** Reads `15.20`. @throws UpgradeError `version-format` for anything else (`15`, `9.6.1`, `15.20-bookworm`). */
export function parseVersion(text: string): PgVersion {
  const match = pattern.exec(text);
  if (!match) {
    throw new UpgradeError('version-format', `"${text}" is not a PostgreSQL version.`, {
      hint: 'Write major and minor, quoted: postgres: "15.20".',
    });
  }
  return { major: Number(match[1]), minor: Number(match[2]) };
}

/** Reads `server_version_num`, for example 150020. */
export function fromVersionNum(num: number): PgVersion {
  return { major: Math.trunc(num / 10000), minor: num % 10000 };
}

/** Reads what a PostgreSQL program prints for `--version`, for example `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`. */
export function fromProgram(output: string): PgVersion | undefined {
  const match = /\(PostgreSQL\) (\d+)\.(\d+)/.exec(output);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/** For example `15.20`. */
export function formatVersion(version: PgVersion): string {
  return `${version.major}.${version.minor}`;
}

/** Negative where `a` is older than `b`, 0 where equal. */
export function compareVersions(a: PgVersion, b: PgVersion): number {
  return a.major - b.major || a.minor - b.minor;
}
