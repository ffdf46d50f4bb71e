/** What is new in the server log. Pure. */
import { formatBytes, plural } from '../report/format.ts';
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { compared, fact, type Pair, rules } from './fact.ts';
import { isGrave } from './log-lines.ts';

type Log = NonNullable<Snapshot['log']>;
type LogClass = Log['classes'][number];

/** What every restart writes, here or on a standby. */
const ofARestart =
  /due to administrator command|the database system is (?:shutting down|starting up|not yet accepting connections|not accepting connections|in recovery mode)|replication terminated by primary server|could not (?:connect to the primary server|receive data from WAL stream)|terminating connection due to unexpected postmaster exit/;

const alertsAtMost = 5;

const keyOf = ({ severity, state, message }: LogClass): string => `${severity} ${state} ${message}`;
const words = ({ severity, state, message }: LogClass): string =>
  `${severity}${state ? ` ${state}` : ''}: ${message}`;

/** A class of the second log, with how often it came since the first; 0 where it only was there before. */
interface News {
  entry: LogClass;
  times: number;
  /** It is not in the first log at all. */
  first: boolean;
}

function newsOf(before: Log, after: Log): News[] {
  const known = new Map(before.classes.map((entry) => [keyOf(entry), entry]));
  const sameFile = before.source === after.source;
  return after.classes.map((entry) => {
    const was = known.get(keyOf(entry));
    const first = was === undefined;
    if (!sameFile) return { entry, times: entry.count, first };
    // The end that is read moves on with the log, so that counts may fall: times tell better.
    if (before.to !== null && entry.last !== null && entry.last <= before.to)
      return { entry, times: 0, first };
    const added = entry.count - (was?.count ?? 0);
    const later = was !== undefined && was.last !== entry.last;
    return { entry, times: Math.max(added, later ? 1 : 0), first };
  });
}

/** Hours between two times of a log; null where it has none. Both are in the log's own time zone. */
function hours({ from, to }: Log): number | null {
  const [start, end] = [from, to].map((time) => Date.parse(`${(time ?? '').replace(' ', 'T')}Z`));
  const span = ((end ?? Number.NaN) - (start ?? Number.NaN)) / 3_600_000;
  return span > 0 ? span : null;
}

/** Lines of errors, and how many that is in an hour. */
function errorsOf(log: Log): string {
  const count = log.classes
    .filter(({ severity }) => severity !== 'WARNING')
    .reduce((sum, entry) => sum + entry.count, 0);
  const span = hours(log);
  // From a few seconds or minutes no hour can be told.
  const rate = span === null || span < 1 ? '' : `, ${(count / span).toFixed(1)} per hour`;
  return `${plural(count, 'line')}${rate}`;
}

function timesOf(count: number): string {
  return count === 1 ? 'once' : plural(count, 'time');
}

function compareLogs(before: Log, after: Log): FactRecord[] {
  const news = newsOf(before, after).filter(({ times }) => times > 0);
  const item = (
    name: string,
    verdict: FactRecord['verdict'],
    why: string | null,
    count?: number,
  ): FactRecord =>
    fact('log', name, rules.log, verdict, {
      after: count === undefined ? null : timesOf(count),
      why,
    });
  const grave = news.filter(({ entry, first }) => isGrave(entry) && (first || entry.severity === 'PANIC'));
  const old = news.filter(({ entry, first }) => isGrave(entry) && !first && entry.severity !== 'PANIC');
  const expected = news.filter(({ entry }) => !isGrave(entry) && ofARestart.test(entry.message));
  const errors = news.filter(
    ({ entry, first }) =>
      first && !isGrave(entry) && !ofARestart.test(entry.message) && /^(?:ERROR|FATAL)$/.test(entry.severity),
  );
  const rest = errors.slice(alertsAtMost);
  return [
    fact('log', 'errors in the server log', rules.told, 'not-compared', {
      before: errorsOf(before),
      after: errorsOf(after),
      why: `read were the last ${formatBytes(after.bytes)} of ${after.source}`,
    }),
    ...grave.map(({ entry, times }) =>
      item(words(entry), 'unexpected', 'it tells of damage, or of files that do not fit', times),
    ),
    ...old.map(({ entry, times }) =>
      item(words(entry), 'alert', 'it was there before, and comes again', times),
    ),
    ...(expected.length === 0
      ? []
      : [
          item(
            'messages of the restart',
            'expected',
            expected
              .slice(0, 3)
              .map(({ entry }) => words(entry))
              .join('; '),
            expected.reduce((sum, { times }) => sum + times, 0),
          ),
        ]),
    ...errors
      .slice(0, alertsAtMost)
      .map(({ entry, times }) => item(words(entry), 'alert', 'new since the upgrade', times)),
    ...(rest.length === 0
      ? []
      : [
          item(
            'other new errors',
            'alert',
            `${rest.length} more kinds of errors are new; see the snapshot`,
            rest.reduce((sum, { times }) => sum + times, 0),
          ),
        ]),
    ...(grave.length + old.length + errors.length === 0
      ? [fact('log', 'new errors in the server log', rules.log, 'equal', { before: 'none', after: 'none' })]
      : []),
  ];
}

/** Grave messages, new errors, and what a restart writes. */
export function logFacts(pair: Pair): FactRecord[] {
  return compared(
    pair,
    { group: 'log', name: 'server log', rule: rules.log },
    ['log'],
    { before: pair.before.log, after: pair.after.log },
    compareLogs,
  );
}
