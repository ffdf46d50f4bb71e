/** Turns a schema's complaints into sentences that name the place, what was found, and what would be right. */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { UpgradeError } from '../errors.ts';
import { laterKeys } from './schema.ts';
import type { Path, Source } from './yaml.ts';

/** As much of JSON Schema as `z.toJSONSchema` uses for a spec. */
export interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  );
}

/** The keys that may stand in the object at `path`. */
export function keysAt(schema: JsonSchema, value: unknown, path: Path): string[] {
  const options = schema.anyOf ?? schema.oneOf;
  if (options) {
    const kind = (value as { kind?: unknown } | null)?.kind;
    const chosen =
      kind === undefined ? undefined : options.find((option) => option.properties?.kind?.const === kind);
    return chosen ? keysAt(chosen, value, path) : options.flatMap((option) => keysAt(option, value, path));
  }
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(schema.properties ?? {});
  const inner = typeof head === 'number' ? schema.items : schema.properties?.[String(head)];
  return inner ? keysAt(inner, valueAt(value, [head]), rest) : [];
}

function shown(value: unknown): string {
  const text = (value === undefined ? 'nothing' : JSON.stringify(value))
    // Somebody may have written the secret where its name belongs: the message must not spread it.
    .replaceAll(/(:\/\/[^:/@\s]*:)[^@\s]*@/g, '$1***@')
    .replaceAll(/AGE-SECRET-KEY-\w+/gi, 'AGE-SECRET-KEY-***');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, key) => text + (typeof key === 'number' ? `[${key}]` : `${text ? '.' : ''}${String(key)}`),
    '',
  );
}

function unknownKey(key: string, known: readonly string[], path: Path): { message: string; hint: string } {
  const where = path.length > 0 ? ` in ${pathText(path)}` : '';
  if (laterKeys.has(key) && path.length === 2) {
    return {
      message: `"${key}"${where} is not available in this version of the action.`,
      hint: `Remove it: a setting that is not carried out would promise something. Available here: ${known.join(', ')}.`,
    };
  }
  const nearest = known.length > 0 ? closest(key, [...known]) : undefined;
  const near = nearest !== undefined && distance(key, nearest) <= Math.max(2, key.length / 3);
  return {
    message: `"${key}"${where} is not a key of the spec.`,
    hint: near ? `Did you mean "${nearest}"?` : `Known here: ${known.join(', ')}.`,
  };
}

/** One error for each complaint, at its place. */
export function explain(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  schema: JsonSchema,
): UpgradeError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const place = source.placeOfKey([...issue.path, key]);
        const { message, hint } = unknownKey(key, keysAt(schema, source.value, issue.path), issue.path);
        return new UpgradeError('spec-key', `${place.file}:${place.line}:${place.column} ${message}`, {
          phase: 'spec',
          hint,
          place,
        });
      });
    }
    const place = source.placeOf(issue.path);
    const found = valueAt(source.value, issue.path);
    const what = pathText(issue.path) || 'the spec';
    const missing = found === undefined;
    // The schema library's own words for something that is not there say nothing more.
    const words = missing && issue.message.startsWith('Invalid input') ? '' : `: ${issue.message}`;
    return [
      new UpgradeError(
        missing ? 'spec-missing' : 'spec-value',
        `${place.file}:${place.line}:${place.column} ${what} ${missing ? 'is missing' : `is ${shown(found)}`}${words}.`,
        {
          phase: 'spec',
          hint: 'docs/spec.md describes every key; the schema in the first line of the example lets an editor help.',
          place,
        },
      ),
    ];
  });
}
