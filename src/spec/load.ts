/** Reads a spec: pure, from text to targets. */
import { z } from 'zod';
import { type Place, UpgradeError, UpgradeErrors } from '../errors.ts';
import { explain, type JsonSchema } from './explain.ts';
import type { SpecSchema, TargetSpec } from './schema.ts';
import { readYaml } from './yaml.ts';

/** A validated target, with its places in the file. */
export interface LoadedTarget {
  spec: TargetSpec;
  /** Where the target stands, and where its version stands. */
  place: Place;
  versionPlace: Place;
}

/** @throws UpgradeErrors with every fault of the spec, each at its place */
export function loadSpec(text: string, file: string, schema: SpecSchema): LoadedTarget[] {
  const source = readYaml(text, file);
  const parsed = schema.safeParse(source.value);
  if (!parsed.success) {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    throw new UpgradeErrors(explain(parsed.error.issues, source, json));
  }
  const targets = parsed.data.targets.map((spec, index) => ({
    spec,
    place: source.placeOf(['targets', index]),
    versionPlace: source.placeOf(['targets', index, 'postgres']),
  }));
  const seen = new Set<string>();
  for (const { spec, place } of targets) {
    if (seen.has(spec.name)) {
      throw new UpgradeError(
        'spec-duplicate',
        `${place.file}:${place.line}:${place.column} the name "${spec.name}" is used twice.`,
        {
          phase: 'spec',
          hint: 'Give each target a name of its own.',
          place,
        },
      );
    }
    seen.add(spec.name);
  }
  return targets;
}

/** The targets that were asked for by name, in the spec's order; all of them for no names. */
export function selectTargets(targets: readonly LoadedTarget[], names: readonly string[]): LoadedTarget[] {
  const known = targets.map(({ spec }) => spec.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UpgradeError('target-unknown', `The spec has no target "${unknown}".`, {
      phase: 'inputs',
      hint: `It has: ${known.join(', ')}.`,
    });
  }
  return names.length === 0 ? [...targets] : targets.filter(({ spec }) => names.includes(spec.name));
}

/**
 * The value behind `env:NAME`.
 * @throws UpgradeError `secret-missing`; the value itself is in no message
 */
export function resolveReference(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const name = reference.replace(/^env:/, '');
  const value = environment[name];
  if (value) return value;
  throw new UpgradeError('secret-missing', `The environment variable ${name} is not set.`, {
    phase: 'spec',
    hint: `Give it to the step: env: { ${name}: \${{ secrets.${name} }} }. Secrets do not reach pull requests from forks.`,
  });
}
