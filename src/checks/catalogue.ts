/** Every check, in the order in which reports show them: first what makes the rest pointless. */
import { idleInTransaction, lockWaits, runningMaintenance } from './activity.ts';
import { archiveBacklog, archiver } from './archive.ts';
import { hbaAuthMethods, identErrors, md5Passwords } from './authentication.ts';
import { largeObjects, locksCapacity, tablespaces } from './capacity.ts';
import type { Check } from './check.ts';
import { collationDependentIndexes } from './collation-indexes.ts';
import { collationObjects, collationVersions } from './collations.ts';
import { checksumsOff, control } from './control.ts';
import { searchPathFragileFunctions, systemViewDependents } from './dependents.ts';
import { extensions } from './extensions.ts';
import { identity } from './identity.ts';
import { arrayFunctionDependents, inetBtreeGist, notNullInheritance, regTypes } from './incompatible.ts';
import { checksumFailures, invalidDatabases, wraparound } from './integrity.ts';
import { cLibraries, preload, untrustedPlpython2 } from './libraries.ts';
import { noReplicaIdentity, subscriptions } from './logical.ts';
import { databaseEncodings, oddNames, scsOff } from './names.ts';
import { eventTriggers, invalidConstraints, invalidIndexes, unloggedTables } from './objects.ts';
import {
  packageAutomation,
  packageHolds,
  packageLocks,
  packageNeighbours,
  packageRestarts,
  packageState,
} from './package-machine.ts';
import { packageCandidate, packageChanges, packageWayBack } from './package-set.ts';
import { configPreflight, releaseNotes, supported } from './release.ts';
import { replicas, slots } from './replication.ts';
import { rlsTables, superuserOrRoles, unreadableTables } from './rights.ts';
import { sequences } from './sequences.ts';
import { connections, longTransactions, preparedTransactions } from './sessions.ts';
import { customSettings, roleDbSettings } from './setting-names.ts';
import { configFileErrors, hbaErrors, pendingRestart } from './settings.ts';
import { diskSpace } from './storage.ts';
import { amcheckAvailable, autovacuumOff, pgssPresent, statsBaseline } from './upkeep.ts';
import { dirtyBuffersCost, walDir } from './wal.ts';

/** Every check there is, in the order of results. */
export const allChecks: readonly Check[] = [
  identity,
  releaseNotes,
  supported,
  superuserOrRoles,
  unreadableTables,
  rlsTables,
  diskSpace,
  packageCandidate,
  packageChanges,
  packageWayBack,
  packageHolds,
  packageLocks,
  packageState,
  packageRestarts,
  packageAutomation,
  packageNeighbours,
  tablespaces,
  locksCapacity,
  control,
  checksumFailures,
  checksumsOff,
  wraparound,
  invalidDatabases,
  databaseEncodings,
  oddNames,
  configPreflight,
  configFileErrors,
  hbaErrors,
  hbaAuthMethods,
  identErrors,
  md5Passwords,
  pendingRestart,
  customSettings,
  roleDbSettings,
  scsOff,
  preload,
  replicas,
  slots,
  subscriptions,
  noReplicaIdentity,
  archiver,
  archiveBacklog,
  walDir,
  dirtyBuffersCost,
  longTransactions,
  idleInTransaction,
  lockWaits,
  preparedTransactions,
  runningMaintenance,
  connections,
  extensions,
  cLibraries,
  untrustedPlpython2,
  collationVersions,
  collationObjects,
  collationDependentIndexes,
  invalidIndexes,
  invalidConstraints,
  sequences,
  eventTriggers,
  unloggedTables,
  largeObjects,
  regTypes,
  notNullInheritance,
  inetBtreeGist,
  arrayFunctionDependents,
  systemViewDependents,
  searchPathFragileFunctions,
  autovacuumOff,
  statsBaseline,
  pgssPresent,
  amcheckAvailable,
];

/** Ids of all checks. */
export const checkIds: readonly string[] = allChecks.map(({ id }) => id);
