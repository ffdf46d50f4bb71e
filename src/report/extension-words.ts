/** What the reports say of extensions, in words. Pure. */
import { plural } from './format.ts';
import type { ExtensionRecord, ExtensionState } from './record-extensions.ts';

/** `1.0`, `1.0 → 1.1`, and what is not there. */
export function versionWords({ before, after }: ExtensionRecord): string {
  return changeWords(before?.version ?? null, after?.version ?? null, before !== null && after !== null);
}

/** The same of what the extension says itself; empty where nobody asked. */
export function ownWords({ before, after }: ExtensionRecord): string {
  return changeWords(before?.own ?? null, after?.own ?? null, before !== null && after !== null);
}

/** The same of its errors; empty where nobody asked. */
export function errorWords({ before, after }: ExtensionRecord): string {
  const count = (state: ExtensionState | null): string | null =>
    typeof state?.errors === 'number' ? String(state.errors) : null;
  return changeWords(count(before), count(after), before !== null && after !== null);
}

function changeWords(before: string | null, after: string | null, both: boolean): string {
  if (before === after || !both) return after ?? before ?? '';
  return `${before ?? 'nothing'} → ${after ?? 'nothing'}`;
}

/** `3 in order`, `1 not in order, 2 in order`. */
export function countExtensions(extensions: readonly ExtensionRecord[]): string {
  const bad = extensions.filter(({ faults }) => faults.length > 0).length;
  const mended = extensions.filter(({ done, faults }) => done.length > 0 && faults.length === 0).length;
  const fine = extensions.length - bad - mended;
  return [
    ...(bad > 0 ? [`${bad} not in order`] : []),
    ...(mended > 0 ? [`${mended} mended`] : []),
    ...(fine > 0 ? [`${fine} in order`] : []),
  ].join(', ');
}

/** Rows of an extension's own tables, at the newest look. */
export function tableWords({ before, after }: ExtensionRecord): string[] {
  return (after ?? before)?.tables.map(({ name, rows }) => `${name}: ${plural(rows, 'row')}`) ?? [];
}
