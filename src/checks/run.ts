/** Running checks: the cluster's over one connection, each database's over one of its own. */
import type { Connection } from '../postgres/connection.ts';
import { type Answer, askAll } from './ask.ts';
import type { Check, CheckContext, CheckResult } from './check.ts';
import { type Answers, belongs, conclude, notAsked } from './conclude.ts';

/** What a round of checks needs. */
interface RunChecksOptions {
  connect: (database: string) => Promise<Connection>;
  /** Databases for the checks of scope `database`: those that accept connections. */
  databases: readonly string[];
  /** Where the cluster's checks are asked. */
  mainDatabase: string;
  signal: AbortSignal;
  onProgress?: (text: string) => void;
  /** Ids that the spec switches off: not asked, and `disabled` in the results. */
  disabled?: ReadonlySet<string>;
  /** Databases that are asked at the same time; 2 by default. */
  parallel?: number;
  /** Milliseconds for one statement; 30 seconds by default. */
  statementTimeout?: number;
}

/**
 * Asks and judges; results come in the order of the catalogue. A check that could not be answered is `error`, one that the
 * user may not ask is `skipped`: neither is ever `passed`.
 * @throws Cancelled when the signal fires
 */
export async function runChecks(
  catalogue: readonly Check[],
  context: CheckContext,
  options: RunChecksOptions,
): Promise<CheckResult[]> {
  const { signal, onProgress, databases } = options;
  const checks = catalogue.filter((check) => belongs(check, context));
  const isDisabled = ({ id }: Check): boolean => options.disabled?.has(id) === true;
  const ask = { signal, statementTimeout: options.statementTimeout ?? 30_000 };
  const asked = checks.filter((check) => !isDisabled(check) && notAsked(check, context) === null);
  const ofCluster = asked.filter(({ scope }) => scope === 'cluster');
  const ofDatabase = asked.filter(({ scope }) => scope === 'database');

  onProgress?.(`asking the server ${ofCluster.length} questions`);
  const cluster = await askAll(ofCluster, () => options.connect(options.mainDatabase), ask);

  const perDatabase = new Map<string, Map<string, Answer>>();
  const queue = ofDatabase.length > 0 ? [...databases] : [];
  const worker = async (): Promise<void> => {
    for (let database = queue.shift(); database !== undefined; database = queue.shift()) {
      const name = database;
      perDatabase.set(name, await askAll(ofDatabase, () => options.connect(name), ask));
      onProgress?.(`asked database ${name} (${perDatabase.size} of ${databases.length})`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.parallel ?? 2) }, worker));

  const answersOf = (check: Check): Answers => {
    if (check.scope === 'machine') return [];
    const pairs: [string, Answer | undefined][] =
      check.scope === 'cluster'
        ? [['', cluster.get(check.id)]]
        : databases.map((database) => [database, perDatabase.get(database)?.get(check.id)]);
    return pairs.map(([database, answer]) => [
      database,
      answer ?? { kind: 'failed', message: 'was not asked' },
    ]);
  };
  return checks.map((check) => {
    const head = { id: check.id, title: check.title, when: context.when, docs: `checks.md#${check.id}` };
    if (isDisabled(check))
      return { ...head, status: 'disabled', seen: ['switched off in the spec'], fix: null };
    const why = notAsked(check, context);
    if (why !== null) return { ...head, status: 'skipped', seen: [why], fix: null };
    return { ...head, ...conclude(check, context, answersOf(check)) };
  });
}

/** What all results come to. */
interface ChecksVerdict {
  status: 'passed' | 'warning' | 'blocked';
  /** Results that stop the run: `blocked`, and `error`, because unknown is not fine. */
  blocking: CheckResult[];
  warnings: CheckResult[];
}

/** `skipped`, `disabled` and `info` stop nothing. */
export function verdictOf(results: readonly CheckResult[]): ChecksVerdict {
  const blocking = results.filter(({ status }) => status === 'blocked' || status === 'error');
  const warnings = results.filter(({ status }) => status === 'warning');
  return {
    status: blocking.length > 0 ? 'blocked' : warnings.length > 0 ? 'warning' : 'passed',
    blocking,
    warnings,
  };
}
