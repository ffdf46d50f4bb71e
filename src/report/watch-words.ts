/** The watch in words, for all reports. Pure. */
import { formatDuration, formatTime, plural } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import type { ObservedRecord, WatchedApplication } from './record-watch.ts';

const kinds = {
  connections: 'new connections',
  version: 'the version that serves',
  applications: 'an application',
  errors: 'errors of an extension',
  log: "the server's log",
} as const satisfies Record<NonNullable<ObservedRecord['limit']>['name'], string>;

/** "for 10 min, 121 looks: no limit was crossed"; null where the target was not observed. */
export function watchWords({ watch }: UpgradeRecord): string | null {
  const observed = watch?.observed;
  if (!observed) return null;
  const { limit, to, from, forMs, looks } = observed;
  const passed = to === null ? null : Date.parse(to) - Date.parse(from);
  const counted = plural(looks, 'look');
  if (limit) return `${counted}, then a limit was crossed: ${limit.what}`;
  if (passed === null) return `${counted} of ${formatDuration(forMs)}: not observed to the end`;
  // The clock of the record is not the one that the watch goes by.
  return passed < forMs - 1000
    ? `for ${formatDuration(passed)} of ${formatDuration(forMs)}, ${counted}: not observed to the end`
    : `for ${formatDuration(forMs)}, ${counted}: no limit was crossed`;
}

/** Terms and what was seen, in order. */
export function observedRows(observed: ObservedRecord): [string, string][] {
  const { connections, limit, everyMs, from, to, log, extensions } = observed;
  const { attempts, failures, allowed, last } = connections;
  return [
    ...(limit
      ? [
          ['Limit crossed', `${kinds[limit.name]}, since ${formatTime(limit.since)}: ${limit.what}`] as [
            string,
            string,
          ],
        ]
      : []),
    ['From', formatTime(from)],
    ['To', to === null ? 'not told' : formatTime(to)],
    ['Looks', `${plural(observed.looks, 'look')}, one every ${formatDuration(everyMs)}`],
    [
      'New connections',
      `${failures} of ${attempts} failed, ${percent(allowed)} may${last === null ? '' : `; the last one: ${last}`}`,
    ],
    ...extensions.map(({ database, extension, before, most }): [string, string] => [
      `Errors of ${extension} in ${database}`,
      `${before} before, at most ${most}`,
    ]),
    ['Server log', log ?? 'not read'],
  ];
}

/** "well (HTTP 200)", "does not answer (HTTP 503): it counts for nothing". */
export function beforeWords({ before, beforeSeen }: WatchedApplication): string {
  const seen = beforeSeen === null ? '' : ` (${beforeSeen})`;
  switch (before) {
    case 'well':
      return `answers${seen}`;
    case 'unwell':
      return `does not answer${seen}: it takes no upgrade back`;
    case 'not-asked':
      return 'not asked';
  }
}

/** "120 of 121 times, last HTTP 200"; where nobody looked, a dash. */
export function whileWords({ looks, failures, last }: WatchedApplication): string {
  return looks === 0 ? '-' : `answered ${looks - failures} of ${plural(looks, 'time')}, last ${last}`;
}

/** `5 %`, `0.5 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
