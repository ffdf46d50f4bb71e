/** What the examples promise: that every key of the spec stands in one of them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  oneOf?: Schema[];
  anyOf?: Schema[];
  const?: unknown;
}

const whole: Schema = JSON.parse(readFileSync('schema/upgrade-spec.schema.json', 'utf8'));
const target = whole.properties?.targets?.items?.properties ?? {};

/** Every key at any depth, as `backup.jobs`. */
function keys(schema: Schema, path = ''): string[] {
  const { properties = {}, items, additionalProperties, oneOf = [], anyOf = [] } = schema;
  return [
    ...Object.entries(properties).flatMap(([name, each]) => {
      const own = path === '' ? name : `${path}.${name}`;
      // Thresholds are listed in docs/checks.md.
      return [own, ...(name === 'thresholds' ? [] : keys(each, own))];
    }),
    ...[items, ...oneOf, ...anyOf].flatMap((each) => (each ? keys(each, path) : [])),
    ...(typeof additionalProperties === 'object' ? keys(additionalProperties, path) : []),
  ];
}

function environment(kind: string): Schema {
  const found = target.environment?.oneOf?.find(({ properties }) => properties?.kind?.const === kind);
  if (!found) throw new Error(`the schema has no environment ${kind}`);
  return found;
}

/** Keys whose last name stands nowhere in the file, in a comment neither. */
function missing(file: string, wanted: readonly string[]): string[] {
  const text = readFileSync(`examples/${file}`, 'utf8');
  return wanted.filter((key) => !new RegExp(`(^|[\\s{])${key.replace(/^.*\./, '')}:`, 'm').test(text));
}

it('embedded-full.yaml has every key', () => {
  // A manifest as the source of the version is another way to write `postgres`.
  const { environment: _, postgres: __, ...rest } = target;
  const wanted = ['postgres', ...keys({ properties: rest }), ...keys(environment('embedded'))];
  expect(wanted).toContain('read-only.hook.enter.url');
  expect(missing('embedded-full.yaml', wanted)).toEqual([]);
});

it('debian.yaml has every key of its environment', () => {
  const wanted = keys(environment('debian'));
  expect(wanted).toContain('ssh.known-hosts');
  expect(missing('debian.yaml', wanted)).toEqual([]);
});
