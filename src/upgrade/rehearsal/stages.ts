/** The stages of a rehearsal: each is timed, and one that fails says why and keeps no other from being tried. */
import { Cancelled, errorsOf } from '../../errors.ts';
import type { RehearsalRecord, RehearsalStage } from '../../report/record-rehearsal.ts';
import type { Run } from '../target.ts';

/** What a stage tells while it runs: lines for people. */
export type Note = (line: string) => void;

/** Runs stages into one rehearsal's record. */
export interface Stages {
  /** @returns what the stage gave; null where it failed. @throws Cancelled */
  run<T>(id: RehearsalStage['id'], title: string, work: (note: Note) => Promise<T>): Promise<T | null>;
  /** Names what was not tried, and why. */
  skip(id: RehearsalStage['id'], title: string, why: string): void;
}

/** A rehearsal that has not begun. */
export function emptyRehearsal(): RehearsalRecord {
  return {
    passed: false,
    ranOn: null,
    exact: false,
    scratch: null,
    backup: null,
    stages: [],
    measures: {
      restoreMs: null,
      indexBuildMs: null,
      adviceMs: null,
      stopMs: null,
      startMs: null,
      expectedDowntimeMs: null,
      downtimeBasis: 'not measured',
      dumpBytes: null,
      restoredBytes: null,
      neededBytes: null,
    },
    databases: [],
  };
}

/** Stages that write into `rehearsal`, and their failures into the run's issues. */
export function stagesOf(run: Run, rehearsal: RehearsalRecord): Stages {
  const { context, recorder, spec } = run;
  return {
    async run(id, title, work) {
      const begun = Date.now();
      const stage: RehearsalStage = { id, title, state: 'failed', durationMs: 0, output: [] };
      rehearsal.stages.push(stage);
      context.log.info(`${spec.name}: ${title}`);
      const note: Note = (line) => {
        stage.output.push(line);
        context.log.info(`  ${line}`);
      };
      try {
        const result = await work(note);
        stage.state = 'passed';
        return result;
      } catch (cause) {
        if (cause instanceof Cancelled || context.signal.aborted) throw new Cancelled('rehearse');
        for (const error of errorsOf(cause)) {
          note([error.message, ...(error.hint?.split('\n') ?? [])].join('\n'));
          recorder.issue(error, 'The target was only read.');
          context.log.annotate({
            level: 'error',
            title: `${spec.name}: rehearsal: ${error.code}`,
            message: [error.message, error.hint ?? ''].join('\n').trim(),
            place: error.place ?? run.target.place,
          });
        }
        return null;
      } finally {
        stage.durationMs = Date.now() - begun;
        recorder.save();
      }
    },
    skip(id, title, why) {
      rehearsal.stages.push({ id, title, state: 'skipped', durationMs: 0, output: [why] });
    },
  };
}
