/** The kinds of environment that exist. The only place outside their folders that lists them. */
import { z } from 'zod';
import { type DebianConfig, debianSchema } from './debian/config.ts';
import { debian } from './debian/debian.ts';
import { type EmbeddedConfig, embeddedSchema } from './embedded/config.ts';
import { embedded } from './embedded/embedded.ts';
import type { EnvironmentKind } from './environment.ts';

/** The validated `environment` of a spec, of any kind. */
export type EnvironmentConfig = EmbeddedConfig | DebianConfig;

/** In the order in which they are listed to people. */
export const environmentKinds: readonly (EnvironmentKind<EmbeddedConfig> | EnvironmentKind<DebianConfig>)[] =
  [embedded, debian];

/** The spec's `environment`, whichever kind it is. */
export const environmentSchema = z.discriminatedUnion('kind', [embeddedSchema, debianSchema], {
  error: `must name a kind that this version has: ${environmentKinds.map(({ kind }) => kind).join(', ')}`,
});

/** The kind that a validated configuration belongs to. */
export function kindOf(config: EnvironmentConfig): EnvironmentKind<EnvironmentConfig> {
  const found = environmentKinds.find(({ kind }) => kind === config.kind);
  if (!found) throw new Error(`unknown kind ${config.kind}`);
  // Its own schema has read this configuration: the kind says which one that is.
  return found as unknown as EnvironmentKind<EnvironmentConfig>;
}
