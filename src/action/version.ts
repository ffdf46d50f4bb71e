/** The action's own version, from package.json. */
import manifest from '../../package.json' with { type: 'json' };

/** As in package.json, for example 0.1.0. */
export const version: string = manifest.version;
