import { expect, it } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatLatency,
  formatTime,
  plural,
} from '../../src/report/format.ts';

it.each([
  [-5, '0 s'],
  [0, '0 s'],
  [0.2, '1 ms'],
  [20, '20 ms'],
  [99.4, '99 ms'],
  [360, '0.36 s'],
  [9_994, '9.99 s'],
  [9_996, '10.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min'],
  [252_000, '4 min 12 s'],
  [3_599_400, '59 min 59 s'],
  [3_599_600, '1 h'],
  [3_840_000, '1 h 4 min'],
  [183_600_000, '2 d 3 h'],
])('duration %d', (ms, text) => expect(formatDuration(ms)).toBe(text));

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1024 ** 2 - 1, '1.0 MiB'],
  [1_503_238_553, '1.4 GiB'],
  [2 ** 60, '1024.0 PiB'],
])('bytes %d', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it('writes times in UTC', () => {
  expect(formatTime('2026-11-20T18:02:11.360Z')).toBe('2026-11-20 18:02:11 UTC');
  expect(formatTime('2026-11-20T18:02Z')).toBe('2026-11-20 18:02:00 UTC');
  expect(formatClock('2026-11-20T18:02:11.36Z')).toBe('18:02:11.360');
});

it('writes counts and latencies', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect(plural(1, 'table')).toBe('1 table');
  expect(plural(1204, 'query', 'queries')).toBe('1,204 queries');
  expect([0.424, 12.34, 1234.4].map(formatLatency)).toEqual(['0.42 ms', '12.3 ms', '1,234 ms']);
});
