/** The target's own settings: a restart is only measured honestly with them. Reads only. */
import { UpgradeError } from '../../errors.ts';
import { connect } from '../../postgres/connection.ts';
import type { ScratchServer } from '../../postgres/scratch.ts';
import { formatVersion } from '../../postgres/version.ts';
import { connectTo } from '../connect.ts';
import type { Run } from '../target.ts';

/** What somebody set, by name, with its unit: `shared_buffers` is `128MB`. From 13 on. */
const configured = `
SELECT s.name, pg_catalog.current_setting(s.name) AS value
FROM pg_catalog.pg_settings AS s
WHERE s.source IN ('configuration file', 'command line', 'environment variable', 'global') ORDER BY 1`;

/** Settings of files, command line and ALTER SYSTEM, as they are in force. */
export async function settingsOf(run: Run): Promise<Record<string, string>> {
  await using connection = await connectTo(run);
  const rows = await connection.query<{ name: string; value: string }>(configured);
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/**
 * The scratch server is not started with all of them (places of files, logging, network): their names are compared.
 * A name with a dot belongs to an extension, and is taken by any server.
 * @throws UpgradeError `rehearsal-setting`
 */
export async function assertKnown(
  server: ScratchServer,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await using connection = await connect(server.settings('postgres'));
  const rows = await connection.query<{ name: string }>('SELECT name FROM pg_catalog.pg_settings');
  const known = new Set(rows.map(({ name }) => name));
  const unknown = Object.keys(settings).filter((name) => !known.has(name) && !name.includes('.'));
  if (unknown.length === 0) return;
  throw new UpgradeError(
    'rehearsal-setting',
    `PostgreSQL ${formatVersion(server.version)} does not know ${unknown.join(', ')}, and the target sets ${unknown.length === 1 ? 'it' : 'them'}: it would not start.`,
    {
      phase: 'rehearse',
      hint: 'Take it out of the configuration with the upgrade; the release notes say what replaces it.',
      docs: 'rehearsals.md#when-it-fails',
    },
  );
}
