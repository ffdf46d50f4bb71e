/** Specs for tests: the smallest good one, and what a loader says to a bad one. */
import { checkIds } from '../../src/checks/catalogue.ts';
import { environmentSchema } from '../../src/environments/registry.ts';
import { errorsOf, type Place } from '../../src/errors.ts';
import { type LoadedTarget, loadSpec } from '../../src/spec/load.ts';
import { specSchema, type TargetSpec } from '../../src/spec/schema.ts';

export const schema = specSchema(environmentSchema, checkIds);

/** Six lines; what is appended to it belongs to the target when it is indented by four. */
export const smallest = `version: 1
targets:
  - name: orders
    postgres: "15.20"
    connection: env:ORDERS_DATABASE_URL
    environment: { kind: embedded, data: /srv/orders, port: 5432 }
`;

export function load(text: string): LoadedTarget[] {
  return loadSpec(text, 'spec.yaml', schema);
}

/** The smallest spec with more lines in its target. */
export function targetWith(lines: string): LoadedTarget {
  const [target] = load(smallest + lines.replaceAll(/^(?=.)/gm, '    '));
  if (!target) throw new Error('the spec has no target');
  return target;
}

export function specWith(lines = ''): TargetSpec {
  return targetWith(lines).spec;
}

export interface Complaint {
  code: string;
  message: string;
  hint: string | undefined;
  place: Place | undefined;
}

/** What loading throws, error by error; empty for a good spec. */
export function complaints(text: string): Complaint[] {
  try {
    load(text);
    return [];
  } catch (cause) {
    return errorsOf(cause, 'spec').map(({ code, message, hint, place }) => ({ code, message, hint, place }));
  }
}

/** Only the sentences. */
export function sentences(text: string): string[] {
  return complaints(text).map(({ message }) => message);
}
