/** Looking after extensions, as the plan shows it. Pure. */
import type { PlannedStep } from '../report/record.ts';
import type { ExtensionSpec } from '../spec/extension-schema.ts';
import type { TargetSpec } from '../spec/schema.ts';
import type { JournalState } from './journal.ts';

/** What its undo does, also in a later rollback. */
const undoWords =
  'an extension that this step updated: ALTER EXTENSION ... UPDATE TO the version from before, where its scripts lead back; else it stays as it is, and the record says so';

/** Null where the spec does not ask for it. */
export function plannedExtensions({ extensions }: TargetSpec): PlannedStep | null {
  const all = Object.entries(extensions);
  if (all.length === 0) return null;
  const mended = all.filter(([, { reinstall }]) => reinstall === 'if-needed').map(([name]) => name);
  return {
    id: 'extensions',
    title: `Look after ${all.length === 1 ? `the extension ${all[0]?.[0] ?? ''}` : `${all.length} extensions`}`,
    does: all.flatMap(([name, spec]) => [looks(name, spec), ...mends(name, spec)]),
    undo: mended.length === 0 ? null : undoWords,
    breaks: null,
    risks: [
      `An extension that is not in order ends the upgrade with extension-broken${mended.length > 0 ? ', once nothing helped' : ''}: on-failure says what then.`,
      ...(mended.length === 0
        ? []
        : [
            `While ${mended.join(' or ')} is updated or loaded anew, whoever uses it waits; others that use it keep the step waiting for a lock, 10 seconds at most.`,
            'An update may have no way back: then the extension stays at its newer version also under the older server.',
          ]),
    ],
    interruptible: true,
  };
}

function looks(name: string, spec: ExtensionSpec): string {
  const { database, version, smoke } = spec;
  const parts = [
    'there',
    version === undefined ? 'at the version from before' : `at version ${version}`,
    'its libraries load in a new session',
    ...(spec['version-sql'] === undefined ? [] : [`version-sql answers: ${spec['version-sql']}`]),
    ...(spec['errors-sql'] === undefined ? [] : [`errors-sql not more than before: ${spec['errors-sql']}`]),
    ...smoke.map(({ file }) => `${file} passes`),
  ];
  return `${name}, ${database === undefined ? 'in each database that has it' : `in ${database}`}: ${parts.join('; ')}`;
}

function mends(name: string, { version, reinstall }: ExtensionSpec): string[] {
  if (reinstall === 'never') return [];
  return [
    `where ${name} is not: ALTER EXTENSION ... UPDATE${version === undefined ? '' : ` TO ${version}`}; else DROP EXTENSION without CASCADE and CREATE EXTENSION at the same version in one transaction, taken back where anything would be lost; where somebody dropped it meanwhile: CREATE EXTENSION`,
  ];
}

/** The step as a rollback takes it back, where the upgrade updated an extension; nothing where it did not. */
export function updatedExtensions(updates: JournalState['extensionUpdates']): PlannedStep[] {
  const names = updates.filter(({ state }) => state === 'started').map(({ extension }) => extension);
  if (names.length === 0) return [];
  return [
    {
      id: 'extensions',
      title: `Update ${[...new Set(names)].join(', ')}`,
      does: [],
      undo: undoWords,
      breaks: null,
      risks: [],
      interruptible: false,
    },
  ];
}
