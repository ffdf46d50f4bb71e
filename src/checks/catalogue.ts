/** Every check, in the order in which reports show them: first what makes the rest pointless. */
import { archiveBacklog, archiver } from './archive.ts';
import type { Check } from './check.ts';
import { collationObjects, collationVersions } from './collations.ts';
import { extensions } from './extensions.ts';
import { identity } from './identity.ts';
import { checksumFailures, invalidDatabases, wraparound } from './integrity.ts';
import { eventTriggers, invalidConstraints, invalidIndexes, unloggedTables } from './objects.ts';
import { replicas, slots } from './replication.ts';
import { sequences } from './sequences.ts';
import { connections, longTransactions, preparedTransactions } from './sessions.ts';
import { configFileErrors, hbaErrors, pendingRestart } from './settings.ts';
import { diskSpace } from './storage.ts';

export const allChecks: readonly Check[] = [
  identity,
  diskSpace,
  checksumFailures,
  wraparound,
  invalidDatabases,
  configFileErrors,
  hbaErrors,
  pendingRestart,
  replicas,
  slots,
  archiver,
  archiveBacklog,
  longTransactions,
  preparedTransactions,
  connections,
  extensions,
  collationVersions,
  collationObjects,
  invalidIndexes,
  invalidConstraints,
  sequences,
  eventTriggers,
  unloggedTables,
];

/** Ids of all checks. */
export const checkIds: readonly string[] = allChecks.map(({ id }) => id);
