/** The user's own health SQL, asked of the target; every result lands in the record. */
import { askHealthFile } from '../health/user-sql.ts';
import type { QueryRecord } from '../report/record.ts';
import type { HealthFile } from '../spec/health-schema.ts';
import { connectTo } from './connect.ts';
import { channel } from './context.ts';
import type { Run } from './target.ts';

/** Asks every file of the spec, in its order. @throws Cancelled */
export async function askHealth(run: Run, when: 'before' | 'after'): Promise<QueryRecord[]> {
  // What extensions were asked in a step of their own stays.
  const others = Object.values(run.spec.extensions).flatMap(({ smoke }) => smoke.map(({ file }) => file));
  return await askFiles(run, run.spec.health, when, ({ file }) => others.includes(file));
}

/**
 * Asks the given files; the record has nothing else of this side but what is kept. @throws Cancelled
 * @param keep earlier results of the same side that stay
 */
export async function askFiles(
  run: Run,
  files: readonly HealthFile[],
  when: 'before' | 'after',
  keep: (query: QueryRecord) => boolean,
): Promise<QueryRecord[]> {
  const { context, recorder, spec } = run;
  const { record } = recorder;
  record.queries = record.queries.filter((query) => query.when !== when || keep(query));
  const asked: QueryRecord[] = [];
  for (const each of files) {
    const file = readOnly(run, each);
    context.log.progress(`${spec.name}: asking ${file.file}`);
    asked.push(
      ...(await askHealthFile(file, context.files.get(file.file) ?? '', when, {
        connect: (database, timeout) => connectTo(run, database, timeout),
        signal: context.signal,
      })),
    );
  }
  record.queries.push(...asked);
  recorder.save();
  return asked;
}

/** What a pull request brings is nobody's yet: its SQL may not write, whatever it says of itself. */
function readOnly({ context, recorder }: Run, file: HealthFile): HealthFile {
  if (!context.onPullRequest || file['read-only']) return file;
  const what = `${file.file} was asked read-only: a pull request started this run.`;
  context.log.info(`  ${what}`);
  recorder.tell(channel(context), what);
  return { ...file, 'read-only': true };
}

/** Results that stop a run: what says so, and what could not be answered. Pure. */
export function blockingQueries(queries: readonly QueryRecord[]): QueryRecord[] {
  return queries.filter(({ status }) => status !== 'passed');
}

/** `ops/health.sql:12`. Pure. */
export function namedQuery({ file, line }: QueryRecord): string {
  return `${file}:${line}`;
}
