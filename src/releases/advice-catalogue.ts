/** All advice there is. Which releases ask for it is in the table of releases. */
import type { Advice } from './advice.ts';
import { brinBloom, brinDates, brinNulls, brinNumerics, brinTimestamps } from './advice-brin.ts';
import { btreeGistBits, btreeGistChar, btreeGistNan } from './advice-btree-gist.ts';
import { statsViews, stripNulls, viewPrivileges } from './advice-catalog.ts';
import {
  concurrentInserts,
  concurrently14,
  parallelVacuum,
  preparedTransactions,
} from './advice-concurrently.ts';
import { detachedPartition, notEnforced, selfReference } from './advice-constraints.ts';
import { ginRows, ginSplits, ginVacuum } from './advice-gin.ts';
import { gistInserts, gistLtree, gistSplits, gistTrigrams } from './advice-gist.ts';
import { btreeBpchar, btreeInterval, hashNan, ltreeCase, ltreeLabels, mixedLocale } from './advice-keys.ts';
import { extensionBuilds, failedCopy, pgpCiphers, plainDumps } from './advice-programs.ts';
import {
  incrementalBackups,
  olderWal,
  outputPlugins,
  standbyDumps,
  standbysFirst,
} from './advice-replication.ts';
import { hotChains, orphanSegments, toastRebuilt, toastStale } from './advice-storage.ts';

/** Every kind of advice, by family. */
export const allAdvice: readonly Advice[] = [
  ...[btreeInterval, btreeBpchar, mixedLocale, ltreeCase, ltreeLabels, hashNan],
  ...[preparedTransactions, concurrentInserts, concurrently14, parallelVacuum],
  ...[gistInserts, gistSplits, gistLtree, gistTrigrams],
  ...[btreeGistChar, btreeGistNan, btreeGistBits],
  ...[ginSplits, ginVacuum, ginRows],
  ...[brinNulls, brinDates, brinTimestamps, brinBloom, brinNumerics],
  ...[toastRebuilt, toastStale, hotChains, orphanSegments],
  ...[detachedPartition, selfReference, notEnforced],
  ...[viewPrivileges, statsViews, stripNulls],
  ...[standbysFirst, olderWal, outputPlugins, standbyDumps, incrementalBackups],
  ...[plainDumps, failedCopy, pgpCiphers, extensionBuilds],
];

const byId = new Map(allAdvice.map((advice) => [advice.id, advice]));

/** A kind of advice by its id; undefined for one that is not known (a record of a newer action). */
export function findAdvice(id: string): Advice | undefined {
  return byId.get(id);
}
