/** Reads a spec: pure, from text to targets. */
import { z } from 'zod';
import { type Place, UpgradeError, UpgradeErrors } from '../errors.ts';
import { assertChannels } from './channels.ts';
import { explain } from './explain.ts';
import type { ImageReference } from './image.ts';
import type { JsonSchema } from './keys.ts';
import { findImage, unreadable } from './manifest.ts';
import type { Spec, SpecSchema, TargetSpec, Wanted } from './schema.ts';
import { readYaml } from './yaml.ts';

/** A validated target, with its places in the file. */
export interface LoadedTarget {
  spec: TargetSpec;
  /** Where the target stands. */
  place: Place;
  /** Where its version stands: in the spec, or in the manifest that the spec names. */
  versionPlace: Place;
  /** The image in the manifest; null where the spec itself has the version. */
  image: ImageReference | null;
  fleet: Fleet;
}

/** What a spec says for all its targets together. */
export interface Fleet {
  soak: Spec['soak'];
  channels: Spec['channels'];
  /** Names of the targets of each wave, waves in order, targets as in the spec. */
  waves: readonly { wave: number; targets: readonly string[] }[];
  /** All targets of the spec, also those that were not asked for. */
  targets: readonly LoadedTarget[];
}

function wavesOf(targets: Spec['targets']): Fleet['waves'] {
  const numbers = [...new Set(targets.map(({ wave }) => wave))].sort((a, b) => a - b);
  return numbers.map((wave) => ({
    wave,
    targets: targets.filter((target) => target.wave === wave).map(({ name }) => name),
  }));
}

/** Text of a file of the repository, by its path from the root. @throws UpgradeError `manifest-unreadable` */
export type ReadManifest = (file: string) => string;

/**
 * @param read reads the manifests that the spec names
 * @throws UpgradeErrors with every fault of the spec, each at its place, and of its manifests
 */
export function loadSpec(
  text: string,
  file: string,
  schema: SpecSchema,
  read: ReadManifest = (manifest) => {
    throw unreadable(manifest, 'nothing reads files here');
  },
): LoadedTarget[] {
  const source = readYaml(text, file);
  const parsed = schema.safeParse(source.value);
  if (!parsed.success) {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    throw new UpgradeErrors(explain(parsed.error.issues, source, json));
  }
  const { soak, channels } = parsed.data;
  assertChannels(parsed.data, source);
  const all: LoadedTarget[] = [];
  const fleet: Fleet = { soak, channels, waves: wavesOf(parsed.data.targets), targets: all };
  const faults: UpgradeError[] = [];
  const targets = parsed.data.targets.map(({ postgres, ...spec }, index) => {
    const place = source.placeOf(['targets', index, 'postgres']);
    const found = tryTo(() => versionOf(postgres, place, read), faults) ?? {
      version: '',
      place,
      image: null,
    };
    return {
      spec: { ...spec, postgres: found.version },
      fleet,
      place: source.placeOf(['targets', index]),
      versionPlace: found.place,
      image: found.image,
    };
  });
  if (faults.length > 0) throw new UpgradeErrors(faults);
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
  all.push(...targets);
  return targets;
}

/** What went wrong is collected: a spec with three faults is told about all three. */
function tryTo<T>(work: () => T, faults: UpgradeError[]): T | null {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof UpgradeError)) throw cause;
    faults.push(cause);
    return null;
  }
}

/** The wanted version, and where it stands. @throws UpgradeError `manifest-unreadable`, `manifest-image` */
function versionOf(
  wanted: Wanted,
  place: Place,
  read: ReadManifest,
): { version: string; place: Place; image: ImageReference | null } {
  if (typeof wanted === 'string') return { version: wanted, place, image: null };
  const found = findImage(read(wanted.from), wanted.from, wanted.image);
  return { version: found.image.version ?? '', place: found.place, image: found.image };
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
