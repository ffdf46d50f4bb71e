/** What tests of health share. */
import { defaultThresholds } from '../../src/checks/check.ts';
import { compareSnapshots } from '../../src/health/diff.ts';
import { type SnapshotOptions, takeSnapshot } from '../../src/health/snapshot.ts';
import type { FactRecord } from '../../src/report/record.ts';
import { type Snapshot, snapshotSchema } from '../../src/report/snapshot.ts';
import type { TestServer } from '../support/servers.ts';

/** A snapshot of a real server; checked against its schema. */
export async function snapshotOf(
  server: TestServer,
  databases: readonly string[],
  options: Partial<SnapshotOptions> = {},
): Promise<Snapshot> {
  const snapshot = await takeSnapshot({
    connect: (database) => server.connect(database),
    databases,
    signal: new AbortController().signal,
    now: () => new Date(),
    serverLog: async () => {
      const text = await server.log();
      return { source: 'server.log', text, size: Buffer.byteLength(text) };
    },
    ...options,
  });
  return snapshotSchema.parse(JSON.parse(JSON.stringify(snapshot)));
}

/** Items that are neither equal nor merely told, as "verdict name". */
export function findings(
  before: Snapshot,
  after: Snapshot,
  verdicts: readonly FactRecord['verdict'][] = ['unexpected', 'alert'],
): string[] {
  return compareSnapshots(before, after, {
    wantedNum: after.versionNum,
    changed: [],
    thresholds: defaultThresholds,
  })
    .filter(({ verdict }) => verdicts.includes(verdict))
    .map(({ verdict, name }) => `${verdict} ${name}`)
    .sort();
}
