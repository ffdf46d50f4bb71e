/** The restored copy as a target of its own: what is done to a target is done to the copy by the same code. */
import type { Environment, LineStore } from '../../environments/environment.ts';
import type { ScratchServer } from '../../postgres/scratch.ts';
import { formatVersion } from '../../postgres/version.ts';
import { openJournal } from '../journal.ts';
import { emptyRecord, recorderOn } from '../recorder.ts';
import type { Run } from '../target.ts';

/** Lines that end with this process: what they tell of ends with it too. */
function inMemory(): LineStore {
  const lines: string[] = [];
  return {
    where: 'memory',
    read: async () => [...lines],
    append: async (line) => void lines.push(line),
    archive: async () => {},
    discard: async () => {},
    readArchives: async () => [],
    prune: async () => {},
  };
}

function environmentOf(server: ScratchServer, run: Run): Environment {
  return {
    inspect: async () => ({ running: server.version, serving: true, details: [] }),
    endpoint: async () => server.settings(run.settings.database),
    planRoute: run.environment.planRoute,
    step: (id) => {
      throw new Error(`a copy has no step ${id}`);
    },
    putBack: async () => {},
    disks: async () => [],
    wantedExtensions: () => server.extensionVersions(),
    scratch: run.environment.scratch,
    home: { journal: inMemory(), rehearsals: inMemory(), backups: run.environment.home.backups },
    close: async () => {},
  };
}

/** A run on the copy; its record is its own, and advice is carried out whatever the spec says of the target. */
export async function runOnCopy(run: Run, server: ScratchServer): Promise<Run> {
  const { context, spec } = run;
  const environment = environmentOf(server, run);
  const version = formatVersion(server.version);
  const record = emptyRecord({
    name: spec.name,
    environment: spec.environment.kind,
    place: run.recorder.record.target.spec,
    wanted: version,
    mode: context.mode,
    identity: null,
    version: context.version,
    now: context.now,
  });
  return {
    // Statements of a pull request may write here: that is what a copy is for.
    context: { ...context, onPullRequest: false },
    target: run.target,
    spec: { ...spec, postgres: version, advice: 'apply' },
    wanted: server.version,
    environment,
    settings: server.settings(run.settings.database),
    journal: await openJournal(environment.home.journal, context.now),
    recorder: recorderOn(record, '', () => {}, context.now),
    lock: null,
  };
}
