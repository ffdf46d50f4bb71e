/** Which keys may stand where: what the JSON Schema of the spec says of a place. */
import type { Path } from './yaml.ts';

/** As much of JSON Schema as `z.toJSONSchema` uses for a spec. */
export interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
}

/** What stands at `path` in a parsed file; undefined where nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  );
}

/** The alternatives that a value is one of: by its kind, else by the keys without which it would be none. */
function chosen(options: readonly JsonSchema[], value: unknown): readonly JsonSchema[] {
  if (typeof value !== 'object' || value === null) return options;
  const { kind } = value as { kind?: unknown };
  const alike = options.filter(({ properties, required = [] }) =>
    properties?.kind
      ? properties.kind.const === kind
      : required.length > 0 && required.every((key) => Object.hasOwn(value, key)),
  );
  return alike.length > 0 ? alike : options;
}

/** The keys that may stand in the object at `path`, each once. */
export function keysAt(schema: JsonSchema, value: unknown, path: Path): string[] {
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set(chosen(options, value).flatMap((option) => keysAt(option, value, path)))];
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(schema.properties ?? {});
  const { properties = {}, additionalProperties: named, items } = schema;
  const others = typeof named === 'object' ? named : undefined;
  const inner = typeof head === 'number' ? items : (properties[String(head)] ?? others);
  return inner ? keysAt(inner, valueAt(value, [head]), rest) : [];
}
