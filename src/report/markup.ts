/** A tagged template that escapes whatever is put into it. */
import { escapeHtml } from './escape.ts';

const markup = Symbol('markup');

/** HTML that is safe to show. A record cannot forge one: JSON has no symbols. */
export interface Markup {
  readonly [markup]: string;
}

/** What a template takes. */
export type Insertable = string | number | Markup | null | undefined | false | readonly Insertable[];

/** HTML; text and numbers in it are escaped, lists are joined, null, undefined and false are nothing. Quote attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly Insertable[]): Markup {
  const parts = strings.map((part, index) => part + (index < values.length ? insert(values[index]) : ''));
  return { [markup]: parts.join('') };
}

/** A constant of this project's own that is HTML or CSS already. Never for text from a record. */
export function trusted(constant: string): Markup {
  return { [markup]: constant };
}

/** The finished text. */
export function markupText(value: Markup): string {
  return value[markup];
}

function insert(value: Insertable): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  if (isList(value)) return value.map(insert).join('');
  return value[markup];
}

/** Array.isArray does not narrow a readonly array. */
function isList(value: Markup | readonly Insertable[]): value is readonly Insertable[] {
  return Array.isArray(value);
}
