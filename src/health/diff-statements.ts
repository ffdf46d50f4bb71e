/** Did statements become slower? Pure. */
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { compared, fact, numbers, type Pair, rules } from './fact.ts';

type Statements = NonNullable<Snapshot['statements']>;
type Counted = Pick<Statements[number], 'calls' | 'totalMs'>;

const mean = ({ calls, totalMs }: Counted): number => totalMs / Math.max(1, calls);

/** What was counted since the first snapshot: the difference, or all of it where the counters were reset. */
function countedSince(before: Counted, after: Counted): Counted {
  const goesOn = after.calls >= before.calls && after.totalMs >= before.totalMs;
  return goesOn ? { calls: after.calls - before.calls, totalMs: after.totalMs - before.totalMs } : after;
}

function compareStatements({ context }: Pair, before: Statements, after: Statements): FactRecord[] {
  const { latencyFactor, latencyMilliseconds, latencyCalls } = context.thresholds;
  const known = new Map(before.map((statement) => [statement.key, statement]));
  const items = after.flatMap((statement) => {
    const was = known.get(statement.key);
    if (!was || was.calls < latencyCalls) return [];
    const since = countedSince(was, statement);
    if (since.calls < latencyCalls) return [];
    const [then, now] = [mean(was), mean(since)];
    const slow = now > latencyFactor * then && now > latencyMilliseconds;
    return [
      fact(
        'statements',
        `${statement.database}: ${statement.text.slice(0, 100)}`,
        rules.latency,
        slow ? 'alert' : 'equal',
        {
          ...numbers(then, now, 'ms'),
          why: slow ? `${(now / then).toFixed(1)} times as slow, in ${since.calls} calls` : null,
        },
      ),
    ];
  });
  const rest = after.length - items.length;
  if (rest === 0) return items;
  return [
    ...items,
    fact('statements', 'statements with too few calls', rules.latency, 'not-compared', {
      before: `${before.length} known`,
      after: `${rest} of ${after.length}`,
      why: `fewer than ${latencyCalls} calls before or since, or not among those that took most time`,
    }),
  ];
}

/** Mean latencies before, and of the calls since then. */
export function statementFacts(pair: Pair): FactRecord[] {
  const { before, after } = pair;
  return compared(
    pair,
    { group: 'statements', name: 'latency of statements', rule: rules.latency },
    ['statements', ...before.databases.map(({ name }) => `database ${name}`)],
    { before: before.statements, after: after.statements },
    (was, is) => compareStatements(pair, was, is),
  );
}
