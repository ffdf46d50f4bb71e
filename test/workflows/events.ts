/** What GitHub tells a workflow of an event: the fields of its payloads that the guards look at. */

const repository = { full_name: 'octo/shop', default_branch: 'main', fork: false };

/** A pull request of Renovate, and what differs from it. */
function pull(differs: {
  author?: string;
  from?: string;
  branch?: string;
  base?: string;
  actor?: string;
}): object {
  const {
    author = 'renovate[bot]',
    from = 'octo/shop',
    branch = 'renovate/postgres-15.x',
    base = 'main',
  } = differs;
  return {
    event_name: 'pull_request',
    actor: differs.actor ?? author,
    repository: 'octo/shop',
    ref: 'refs/pull/7/merge',
    head_ref: branch,
    base_ref: base,
    event: {
      action: 'opened',
      number: 7,
      pull_request: {
        user: { login: author, type: 'Bot' },
        head: { ref: branch, repo: from === '' ? null : { full_name: from, fork: from !== 'octo/shop' } },
        base: { ref: base, repo: { full_name: 'octo/shop' } },
      },
      repository,
      sender: { login: differs.actor ?? author },
    },
  };
}

/** A push, and what differs from one to the default branch. */
function push(ref: string, fork = false): object {
  return {
    event_name: 'push',
    actor: 'ann',
    repository: 'octo/shop',
    ref,
    head_ref: '',
    event: { ref, before: 'a'.repeat(40), after: 'b'.repeat(40), repository: { ...repository, fork } },
  };
}

function plain(name: string, ref = 'refs/heads/main'): object {
  return {
    event_name: name,
    actor: 'ann',
    repository: 'octo/shop',
    ref,
    head_ref: '',
    event: { repository },
  };
}

/** Value of the `github` context by what happened. */
export const events: Readonly<Record<string, object>> = {
  "Renovate's pull request": pull({}),
  "Renovate's, and a person pushed to it": pull({ actor: 'ann' }),
  "a person's, branch named like Renovate's": pull({ author: 'ann' }),
  "a person's, who made Renovate push last": pull({ author: 'ann', actor: 'renovate[bot]' }),
  'an account that has the name as a part': pull({ author: 'renovate' }),
  'from a fork, with the same name': pull({ from: 'mallory/shop' }),
  'from a fork that is gone': pull({ from: '' }),
  "Renovate's, another branch": pull({ branch: 'feature/renovate/x' }),
  "Renovate's, into another branch": pull({ base: 'release-1' }),
  "somebody else's bot": pull({ author: 'dependabot[bot]', branch: 'dependabot/npm/x' }),
  'a push to the default branch': push('refs/heads/main'),
  'a push to another branch': push('refs/heads/renovate/postgres-15.x'),
  'a tag named like the default branch': push('refs/tags/main'),
  'a push to the default branch of a fork': push('refs/heads/main', true),
  'the clock': { ...plain('schedule'), event: { schedule: '37 1 * * *' } },
  'a person, on the default branch': plain('workflow_dispatch'),
  'a person, on another branch': plain('workflow_dispatch', 'refs/heads/feature'),
  'a pull_request_target': { ...pull({}), event_name: 'pull_request_target', ref: 'refs/heads/main' },
};
