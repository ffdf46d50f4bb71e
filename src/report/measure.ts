/** Facts as numbers: how they are written, how they changed, how long their bars are. */
import { formatBytes, formatCount, formatLatency } from './format.ts';
import type { FactRecord } from './record.ts';

/** A fact as two numbers. */
export type Measure = NonNullable<FactRecord['measure']>;

/** A number in its unit: `1.4 GiB`, `98.2 %`, `12.5/s`. */
export function formatMeasure(value: number, unit: Measure['unit']): string {
  switch (unit) {
    case 'bytes':
      return value < 0 ? `-${formatBytes(Math.round(-value))}` : formatBytes(Math.round(value));
    case 'ms':
      return formatLatency(value);
    case 'share':
      return formatShare(value);
    case 'per-second':
      return `${formatCount(Math.round(value * 10) / 10)}/s`;
    case 'rows':
    case 'count':
      return formatCount(Math.round(value));
  }
}

/** A share between 0 and 1: `98.2 %`. One that is not all is never shown as all, nor one that is not nothing as nothing. */
export function formatShare(share: number): string {
  const percent = share * 100;
  const shown = percent.toFixed(1);
  if (shown === '100.0' && percent < 100) return '> 99.9 %';
  if (shown === '0.0' && percent > 0) return '< 0.1 %';
  return `${shown} %`;
}

/** How it changed: `+12 %`, `-1` of a count, `-0.4 points`, `same`; null where a comparison says nothing. */
export function changeOf({ before, after, unit }: Measure): string | null {
  if (before === after) return 'same';
  if (unit === 'count') return `${after > before ? '+' : '-'}${formatCount(Math.abs(after - before))}`;
  if (unit === 'share') return `${signed((after - before) * 100)} points`;
  if (before <= 0 || after < 0) return null;
  if (after >= before * 10) return `${formatCount(Math.round(after / before))} times as much`;
  return `${signed((after / before - 1) * 100)} %`;
}

function signed(value: number): string {
  const digits = Math.abs(value) < 10 ? 1 : 0;
  return `${value > 0 ? '+' : '-'}${Math.abs(value).toFixed(digits)}`;
}

/** Lengths of the two bars in percent: the larger one is 100. */
export function barsOf({ before, after }: Measure): readonly [number, number] {
  const most = Math.max(before, after);
  const length = (value: number): number => (most > 0 && value > 0 ? (value / most) * 100 : 0);
  return [length(before), length(after)];
}
