/** How the applications are before anything is changed: one that is broken already must not be blamed on the upgrade. */
import type { WatchRecord } from '../report/record-watch.ts';
import { askApplication, isAsked } from './application-health.ts';
import { applicationEntry } from './applications.ts';
import type { Run } from './target.ts';

/**
 * Asks each application's health address once and warns of those that do not answer well. Those that an earlier run has
 * stopped are not asked. Lands in the record.
 * @throws Cancelled
 */
export async function askApplicationsBefore(run: Run): Promise<void> {
  const { context, spec, environment, recorder, target } = run;
  if (!spec.applications.some(isAsked)) return;
  const record = watchRecordOf(run);
  await Promise.all(
    spec.applications.filter(isAsked).map(async (application) => {
      const entry = record.applications.find(({ name }) => name === application.name);
      if (!entry || isOff(run, application.name)) return;
      const { well, seen } = await askApplication(application, environment, context.signal);
      entry.before = well ? 'well' : 'unwell';
      entry.beforeSeen = seen;
      if (well) return;
      context.log.annotate({
        level: 'warning',
        title: `${spec.name}: ${application.name} does not answer`,
        message: `${application.health}: ${seen}. Nothing was changed yet: whatever ails it, it is not the upgrade. An upgrade is not taken back because of it.`,
        place: target.place,
      });
    }),
  );
  recorder.save();
}

/** Writes down for a later job which applications did not answer; those of an earlier run that are off stay as noted. */
export async function journalUnwell(run: Run): Promise<void> {
  if (!run.spec.applications.some(isAsked)) return;
  const noted = run.journal.state().unwell;
  const names = watchRecordOf(run)
    .applications.filter(({ name, before }) =>
      before === 'not-asked' ? noted.includes(name) : before === 'unwell',
    )
    .map(({ name }) => name);
  if (names.join('\n') !== noted.join('\n')) await run.journal.unwell(names);
}

/** The record's part of applications and watch, made from the spec and the journal where it is not there yet. */
export function watchRecordOf(run: Run): WatchRecord {
  const { spec, recorder, journal } = run;
  const { unwell } = journal.state();
  recorder.record.watch ??= {
    applications: spec.applications.filter(isAsked).map(({ name, health }) => ({
      name,
      health,
      before: unwell.includes(name) ? 'unwell' : 'not-asked',
      beforeSeen: null,
      looks: 0,
      failures: 0,
      last: null,
    })),
    observed: null,
  };
  return recorder.record.watch;
}

function isOff(run: Run, name: string): boolean {
  return run.journal.state().outstanding.some(({ id }) => id === applicationEntry(name));
}
