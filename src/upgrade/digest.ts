/** The digest that an approval names: covers what matters to the decision and nothing that moves by itself. */
import { createHash } from 'node:crypto';

/** JSON with sorted keys, so that the same content always gives the same text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Every leaf by its path (`steps[0].undo`), its value as JSON; an empty list or object is a leaf. Pure. */
export function flatten(value: unknown, path = ''): Record<string, string> {
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((inner, index) => [`${path}[${index}]`, inner])
    : value && typeof value === 'object'
      ? Object.entries(value).map(([key, inner]) => [path === '' ? key : `${path}.${key}`, inner])
      : [];
  const leaves = entries.filter(([, inner]) => inner !== undefined);
  if (leaves.length === 0) return path === '' ? {} : { [path]: canonical(value) };
  return Object.assign({}, ...leaves.map(([key, inner]) => flatten(inner, key)));
}

/** sha256 in hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}
