/**
 * Takes from a restored copy what could act on its own or on others: event triggers, foreign servers. The scratch server
 * itself has no network to act on where the machine allows it; this holds everywhere.
 */
import { connect, quoteIdent } from '../../postgres/connection.ts';
import { listDatabaseNames } from '../../postgres/databases.ts';
import type { ScratchServer } from '../../postgres/scratch.ts';

/** Wrappers that can reach something; one without a handler can reach nothing (CREATE FOREIGN DATA WRAPPER). */
const wrappers =
  'SELECT fdwname AS name FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwhandler <> 0 ORDER BY 1';

const triggers = "SELECT evtname AS name FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1";

/** @returns what was switched off, one sentence for each kind */
export async function calm(server: ScratchServer): Promise<string[]> {
  let [disabled, cut] = [0, 0];
  const names = await (async () => {
    await using main = await connect(server.settings('postgres'));
    return await listDatabaseNames(main);
  })();
  for (const name of names) {
    await using connection = await connect(server.settings(name));
    // ALTER DATABASE ... SET may make it read-only by default.
    await connection.script('SET default_transaction_read_only = off');
    // ALTER EVENT TRIGGER fires none itself (documentation, "Event Trigger Firing Matrix").
    for (const trigger of await connection.query<{ name: string }>(triggers)) {
      await connection.script(`ALTER EVENT TRIGGER ${quoteIdent(trigger.name)} DISABLE`);
      disabled += 1;
    }
    for (const wrapper of await connection.query<{ name: string }>(wrappers)) {
      await connection.script(`ALTER FOREIGN DATA WRAPPER ${quoteIdent(wrapper.name)} NO HANDLER`);
      cut += 1;
    }
  }
  return [
    `event triggers are disabled: ${disabled}`,
    `foreign-data wrappers have no handler, so that foreign tables reach nothing: ${cut}`,
    'subscriptions are not restored',
  ];
}
