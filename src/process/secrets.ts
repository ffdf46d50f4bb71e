/** Values that must never be seen, and the one function that hides them. */

/** The values of one run. */
export interface Secrets {
  /** Registers a value; `announce` (the runner's own mask) is told at once, before anything can print it. */
  add(value: string): void;
  /** The text with every registered value replaced by `***`. */
  hide(text: string): string;
}

/** @param announce the runner's own mask, told of every value at once */
export function createSecrets(announce: (value: string) => void = () => {}): Secrets {
  const values = new Set<string>();
  return {
    add(value) {
      // A value of one or two characters would blot out half of every report; such a password is no secret anyway.
      for (const form of new Set([value, encodeURIComponent(value)])) {
        if (form.length < 3 || values.has(form)) continue;
        values.add(form);
        announce(form);
      }
    },
    hide(text) {
      let hidden = text;
      for (const value of [...values].sort((a, b) => b.length - a.length)) {
        hidden = hidden.replaceAll(value, '***');
      }
      return hidden;
    },
  };
}

/** Hides secrets in every string of a plain JSON value. */
export function hideIn<T>(value: T, secrets: Secrets): T {
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return secrets.hide(item);
    if (Array.isArray(item)) return item.map(walk);
    if (item && typeof item === 'object') {
      return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, walk(inner)]));
    }
    return item;
  };
  return walk(value) as T;
}
