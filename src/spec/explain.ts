/** Turns a schema's complaints into sentences that name the place, what was found, and what would be right. */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { UpgradeError } from '../errors.ts';
import { type JsonSchema, keysAt, valueAt } from './keys.ts';
import { masked, secretKeys, shown } from './shown.ts';
import { nearestComplaints, rightWords } from './words.ts';
import type { Path, Source } from './yaml.ts';

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, key) => text + (typeof key === 'number' ? `[${key}]` : `${text ? '.' : ''}${masked(String(key))}`),
    '',
  );
}

function unknownKey(key: string, known: readonly string[], path: Path): { message: string; hint: string } {
  const where = path.length > 0 ? ` in ${pathText(path)}` : '';
  const nearest = known.length > 0 ? closest(key, [...known]) : undefined;
  const near = nearest !== undefined && distance(key, nearest) <= Math.max(2, key.length / 3);
  return {
    message: `${shown(key)}${where} is not a key of the spec.`,
    hint: near ? `Did you mean "${nearest}"?` : `Known here: ${known.join(', ')}.`,
  };
}

/** One error for each complaint, at its place. No message has a secret that was written where its name belongs. */
export function explain(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  schema: JsonSchema,
): UpgradeError[] {
  const secrets = secretKeys(schema);
  return issues.flatMap(nearestComplaints).flatMap((issue) => {
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
    const ofKey = issue.code === 'invalid_key';
    const place = ofKey ? source.placeOfKey(issue.path) : source.placeOf(issue.path);
    const found = valueAt(source.value, issue.path);
    const missing = found === undefined;
    const what = ofKey
      ? `a name in ${pathText(issue.path.slice(0, -1))}`
      : pathText(issue.path) || 'the spec';
    const value = ofKey ? shown(String(issue.path.at(-1))) : shown(found, issue.path, secrets);
    // The schema library's own words for something that is not there say nothing more.
    const words = missing && issue.message.startsWith('Invalid input') ? '' : `: ${rightWords(issue)}`;
    return [
      new UpgradeError(
        missing ? 'spec-missing' : 'spec-value',
        `${place.file}:${place.line}:${place.column} ${what} ${missing ? 'is missing' : `is ${value}`}${words}.`,
        {
          phase: 'spec',
          hint: 'docs/spec.md describes every key; the schema in the first line of the example lets an editor help.',
          place,
        },
      ),
    ];
  });
}
