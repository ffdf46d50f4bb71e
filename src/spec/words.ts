/** What would be right, in our words where the schema library has only its own. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const expected: Readonly<Record<string, string>> = {
  array: 'write a list, for example [a, b]',
  object: 'write keys and their values',
  record: 'write names and their values',
  string: 'write a text',
  number: 'write a number',
  int: 'write a whole number',
  boolean: 'write true or false',
};

/** Begins as the library's own messages do; what the spec's schema says itself begins otherwise. */
const raw = /^(Invalid|Too|Unrecognized) /;

/** What would be right, to stand behind a colon. */
export function rightWords(issue: Issue): string {
  if (!raw.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return expected[issue.expected] ?? issue.message;
    case 'invalid_value': {
      const values = issue.values.map(String);
      return values.length === 1 ? `write ${values[0]}` : `write one of ${values.join(', ')}`;
    }
    case 'too_small':
      if (issue.origin === 'array') return `write at least ${issue.minimum}`;
      return issue.origin === 'string' ? 'write a text' : `write a number that is at least ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `write at most ${issue.maximum}`;
      return `write a number that is at most ${issue.maximum}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

/**
 * Where a value may be one of several things, the complaints of the one that it is nearest to: with the fewest
 * complaints, and of the right sort. The complaint itself where two are as near.
 */
export function nearestComplaints(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const options = issue.errors
    .filter((option) => !option.some(({ code, path }) => code === 'invalid_type' && path.length === 0))
    .map((option) => option.map((each) => ({ ...each, path: [...issue.path, ...each.path] }) as Issue))
    .sort((a, b) => a.length - b.length);
  const [nearest, next] = options;
  if (!nearest || (next && next.length === nearest.length)) return [issue];
  // Complaints about the value as a whole: the schema's own sentence names every alternative.
  const inside = nearest.every(
    ({ code, path }) => code !== 'unrecognized_keys' && path.length > issue.path.length,
  );
  return inside ? nearest.flatMap(nearestComplaints) : [issue];
}
