/** What one commit's spec says of its targets, read loosely: an older spec need not be one that this version accepts. */
import { messageOf } from '../errors.ts';
import type { Side } from '../report/change.ts';
import { parseImage } from '../spec/image.ts';
import { findImage } from '../spec/manifest.ts';
import { readYaml } from '../spec/yaml.ts';
import { flatten } from '../upgrade/digest.ts';

/** Targets by name; a text where one cannot be told, and why. */
export type Sides = ReadonlyMap<string, Side | string>;

type Values = Record<string, unknown>;

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Paths of files that a spec names: a base must not lead anybody elsewhere either. */
const inside = /^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/;

/**
 * @param read text of a manifest of the same commit
 * @throws what reading YAML throws
 */
export async function sidesOf(
  text: string,
  file: string,
  read: (file: string) => string | Promise<string>,
): Promise<Sides> {
  const { value } = readYaml(text, file);
  if (!isObject(value)) throw new Error(`${file} is no spec`);
  const { targets, ...top } = value;
  const sides = new Map<string, Side | string>();
  for (const target of Array.isArray(targets) ? targets : []) {
    if (!isObject(target) || typeof target.name !== 'string') continue;
    sides.set(target.name, await sideOf(target, top, read));
  }
  return sides;
}

async function sideOf(
  { postgres, ...rest }: Values,
  top: Values,
  read: (file: string) => string | Promise<string>,
): Promise<Side | string> {
  const others = { ...flatten(rest), ...flatten(top) };
  if (typeof postgres === 'string' && /^\d+\.\d+$/.test(postgres))
    return { version: postgres, image: null, rest: others };
  if (!isObject(postgres) || typeof postgres.from !== 'string' || typeof postgres.image !== 'string')
    return 'its key postgres is neither a version nor a manifest';
  if (!inside.test(postgres.from)) return `its manifest ${postgres.from} lies outside of the repository`;
  try {
    const { image } = findImage(await read(postgres.from), postgres.from, postgres.image);
    const name = parseImage(postgres.image);
    return {
      version: image.version ?? '',
      image: { name: name ? `${name.registry}/${name.repository}` : postgres.image, suffix: image.suffix },
      rest: { ...others, ...flatten({ postgres }) },
    };
  } catch (cause) {
    return messageOf(cause);
  }
}
