/** Which backup is rehearsed: a fresh one, one on disk, or the newest among the artifacts. */
import { join } from 'node:path';
import { sha256Of } from '../../backup/manifest.ts';
import { findBackup, type KeptBackup, readDump } from '../../backup/read-dump.ts';
import { unpackBackup } from '../../backup/unpack.ts';
import { UpgradeError } from '../../errors.ts';
import { resolveReference } from '../../spec/load.ts';
import type { Run } from '../target.ts';
import type { Note } from './stages.ts';

/** Where the backup comes from. */
export type Origin = 'fresh' | 'path' | 'latest-artifact';

/** What was asked for: the input first, then the spec. */
export function originOf(run: Run): { origin: Origin; path: string } {
  const from = run.context.rehearseFrom || run.spec.rehearsal.from;
  return from === 'fresh' || from === 'latest-artifact'
    ? { origin: from, path: '' }
    : { origin: 'path', path: from };
}

/** A backup that is there already, and for people where it was found. */
export interface GivenBackup extends KeptBackup {
  where: string;
}

/**
 * Finds or fetches a backup that is there already.
 * @param work folder for what is fetched and unpacked; goes with the rehearsal
 * @throws UpgradeError `backup-missing`, `backup-manifest`, `backup-other-target`, `artifact-missing`,
 *   `artifact-download`, `unpack-failed`, `identity-missing`, `outside-missing`
 */
export async function givenBackup(run: Run, work: string, note: Note): Promise<GivenBackup> {
  const { spec, context } = run;
  const { origin, path } = originOf(run);
  if (origin === 'path') {
    const folder = await findBackup(path, spec.name);
    note(`backup: ${folder}`);
    return { ...(await readDump(folder, spec.name)), where: folder };
  }
  if (!context.outside) {
    throw new UpgradeError(
      'outside-missing',
      'The newest artifact can only be fetched within GitHub Actions.',
      {
        phase: 'rehearse',
        hint: 'Give the step a github-token with the permission actions: read; or rehearse from: fresh, or from a path.',
        docs: 'rehearsals.md#which-backup',
      },
    );
  }
  context.log.progress(`${spec.name}: downloading the newest dump`);
  const { file, where, encrypted } = await context.outside.latestDump(
    spec.name,
    join(work, 'download'),
    context.signal,
  );
  note(`${where}, sha256 ${await sha256Of(file, context.signal)}`);
  context.log.progress(`${spec.name}: unpacking the dump`);
  const folder = await unpackBackup(
    file,
    join(work, 'backup'),
    encrypted ? identityOf(run) : null,
    context.signal,
  );
  return { ...(await readDump(folder, spec.name)), where };
}

/** @throws UpgradeError `identity-missing`, `secret-missing` */
function identityOf({ spec, context }: Run): string {
  const { identity } = spec.rehearsal;
  if (identity === undefined) {
    throw new UpgradeError(
      'identity-missing',
      'The dump is encrypted, and the spec names no identity to read it with.',
      {
        phase: 'rehearse',
        hint: 'Put the age identity into a secret, and its variable into rehearsal.identity, for example env:AGE_IDENTITY.',
        docs: 'rehearsals.md#which-backup',
      },
    );
  }
  const text = resolveReference(identity, context.variables);
  for (const line of text.split('\n')) if (line.trim() !== '') context.secrets.add(line.trim());
  return text;
}
