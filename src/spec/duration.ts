/** Time spans as the spec writes them: `45s`, `30m`, `12h`, `7d`. The schema has checked them. Pure. */

const units = {
  s: { ms: 1000, word: 'second' },
  m: { ms: 60_000, word: 'minute' },
  h: { ms: 3_600_000, word: 'hour' },
  d: { ms: 86_400_000, word: 'day' },
} as const;

function read(duration: string): { count: number; unit: (typeof units)[keyof typeof units] } {
  return { count: Number(duration.slice(0, -1)), unit: units[duration.slice(-1) as keyof typeof units] };
}

/** Milliseconds; a day has 24 hours. */
export function milliseconds(duration: string): number {
  const { count, unit } = read(duration);
  return count * unit.ms;
}

/** `7 days`, `1 hour`. */
export function durationWords(duration: string): string {
  const { count, unit } = read(duration);
  return `${count} ${unit.word}${count === 1 ? '' : 's'}`;
}
