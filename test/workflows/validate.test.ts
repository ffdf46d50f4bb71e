/** All workflows, by GitHub's language service; and that it sees what would break them. */
import { describe, expect, it } from 'vitest';
import { all, read } from './files.ts';
import { findings } from './language.ts';

/** A file with one fault planted; the text to replace must be there. */
function planted(file: string, from: string, to: string): string {
  const text = read(file);
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  return text.replace(from, to);
}

describe("GitHub's language service", () => {
  it('is asked about three copies, three reusable workflows, three callers and our CI', () => {
    expect(all).toHaveLength(10);
  });

  it.each(all)('finds nothing in %s', async (file) => {
    expect(await findings(read(file))).toEqual([]);
  });

  it.each(['action.yml', '.github/actions/postgres-upgrade/action.yml'])(
    'finds nothing in %s',
    async (file) => {
      expect(await findings(read(file), file)).toEqual([]);
    },
  );

  it('sees what an action must not say', async () => {
    const text = planted('action.yml', 'using: node24', 'using: node99');
    expect((await findings(text, 'action.yml')).join('\n')).toContain('node99');
  });

  const renovate = 'workflows/renovate-minor.yml';
  const manual = 'workflows/manual-upgrade.yml';
  const shared = '.github/workflows/reusable-renovate-minor.yml';
  const caller = 'workflows/short/manual-upgrade.yml';

  it.each([
    [
      'an input that our action does not have',
      renovate,
      'at-merge: upgrade-minor',
      'on-merge: x',
      "Invalid action input 'on-merge'",
    ],
    [
      'the same in a reusable workflow',
      shared,
      'at-merge: upgrade-minor',
      'on-merge: x',
      "Invalid action input 'on-merge'",
    ],
    [
      'an input that actions/checkout does not have',
      renovate,
      'persist-credentials: false',
      'persist-credential: false',
      'Invalid action input',
    ],
    [
      'an expression that cannot be read',
      renovate,
      "startsWith(github.head_ref, 'renovate/')",
      'startsWith(github.head_ref',
      "Unexpected symbol: 'EOF'",
    ],
    ['an unknown function', renovate, 'startsWith(', 'beginsWith(', "Unrecognized function: 'beginsWith'"],
    [
      'an unknown context',
      renovate,
      'github.event.repository.fork',
      'gitlab.fork',
      "Unrecognized named-value: 'gitlab'",
    ],
    [
      'a key that an event does not have',
      renovate,
      'pull_request.user.login',
      'pull_request.author.login',
      'Context access might be invalid: author',
    ],
    [
      'an unknown permission',
      renovate,
      'pull-requests: write',
      'pull-request: write',
      "Unexpected value 'pull-request'",
    ],
    [
      'a permission that cannot be given',
      renovate,
      'pull-requests: write',
      'pull-requests: admin',
      "Unexpected value 'admin'",
    ],
    [
      'a job that is not there',
      renovate,
      'needs: proposed',
      'needs: suggested',
      "Job 'rehearse' depends on unknown job 'suggested'",
    ],
    [
      'an output that a job does not have',
      renovate,
      'needs.merged.outputs.minor-targets !=',
      'needs.merged.outputs.minors !=',
      'Context access might be invalid: minors',
    ],
    [
      'a step that is not there',
      renovate,
      'steps.list.outputs',
      'steps.lists.outputs',
      'Context access might be invalid: lists',
    ],
    [
      'a dispatch input that is not there',
      manual,
      "inputs.digest == ''",
      "inputs.diggest == ''",
      'Context access might be invalid: diggest',
    ],
    [
      'an input of a reusable workflow that is not there',
      shared,
      'inputs.authors',
      'inputs.author',
      'Context access might be invalid: author',
    ],
    ['an unknown key of concurrency', renovate, 'queue: max', 'queued: max', "Unexpected value 'queued'"],
    ['an unknown kind of queue', renovate, 'queue: max', 'queue: all', "Unexpected value 'all'"],
    ['a queue that cancels', renovate, 'cancel-in-progress: false', 'cancel-in-progress: true', 'queue'],
    [
      'a clock that does not exist',
      'workflows/scheduled-rehearsal.yml',
      '37 1 * * *',
      '77 1 * * *',
      'Invalid cron',
    ],
    ['an unknown event', renovate, 'pull_request:', 'pull_requests:', "Unexpected value 'pull_requests'"],
    [
      'an input that the called workflow does not have',
      caller,
      `digest: \${{`,
      `plan-digest: \${{`,
      'Invalid input, plan-digest is not defined in the referenced workflow',
    ],
    [
      'a missing input of the called workflow',
      caller,
      `      target: \${{ inputs.target }}\n`,
      '',
      'Input target is required',
    ],
    [
      'a secret that the called workflow does not have',
      caller,
      `POSTGRES_UPGRADE_VARIABLES: \${{`,
      `VARIABLES: \${{`,
      'VARIABLES',
    ],
  ])('sees %s', async (_what, file, from, to, expected) => {
    const found = await findings(planted(file, from, to));
    expect(found.join('\n')).toContain(expected);
  });
});
