/** What is wrong with an extension after the change, compared with before. Pure. */
import type { ExtensionBefore, ExtensionUpdate } from '../report/record-extensions.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import type { Fault, Seen } from './extension-look.ts';

/**
 * All faults: those of the look, and those that only a comparison shows.
 * @param updated the last update by this upgrade
 */
export function judge(
  { state, faults }: Seen,
  spec: ExtensionSpec,
  before: ExtensionBefore | null,
  updated: ExtensionUpdate | null,
): Fault[] {
  if (state === null) return faults;
  const found = [...faults];
  const wanted = spec.version === undefined ? [before?.version, updated?.to] : [spec.version];
  const known = wanted.filter((version) => version !== undefined);
  if (known.length > 0 && !known.includes(state.version))
    found.push({
      mendable: true,
      reload: false,
      what: `it has version ${state.version}, not ${spec.version ?? `${known[0]} as before`}`,
    });
  if (before === null) return found;
  if (state.errors !== null && before.errors !== null && state.errors > before.errors)
    found.push({
      mendable: false,
      reload: false,
      what: `errors-sql answers ${state.errors}, and ${before.errors} before`,
    });
  return found;
}

/** Tables of an extension that had to be created again, and whose rows are gone with the old ones. Pure. */
export function emptied({ state }: Seen, before: ExtensionBefore): Fault[] {
  const tables = before.tables.filter(
    ({ name, rows }) => rows > 0 && state?.tables.find((table) => table.name === name)?.rows === 0,
  );
  return tables.map(({ name, rows }) => ({
    mendable: false,
    reload: false,
    what: `its table ${name} held ${rows} ${rows === 1 ? 'row' : 'rows'} before somebody dropped it, and is empty now`,
  }));
}
