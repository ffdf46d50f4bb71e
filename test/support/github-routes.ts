/** What GitHub's REST API answers: its routes, the permission that each needs, and what they do to the state. */
export type Permission =
  | 'contents: read'
  | 'actions: read'
  | 'pull-requests: write'
  | 'issues: write'
  | 'metadata: read';

export interface User {
  login: string;
  type: 'User' | 'Bot';
}

export interface Comment {
  id: number;
  issue: number;
  user: User;
  body: string;
  html_url: string;
}

export interface Issue {
  number: number;
  user: User;
  title: string;
  body: string;
  state: 'open' | 'closed';
  state_reason: string | null;
  labels: string[];
  pull_request?: object;
}

export interface Artifact {
  id: number;
  name: string;
  content: Buffer;
  created: string;
  expired: boolean;
  /** Null for an artifact of which GitHub tells none. */
  digest: string | null;
  contentType: string;
  run: {
    id: number;
    repository_id: number;
    head_repository_id: number;
    head_branch: string;
    head_sha: string;
    /** Told of the run only, not in the list of artifacts. */
    event: string;
  };
}

export interface Token {
  user: User;
  /** An installation's token may not ask for its user. */
  installation: boolean;
  permissions: readonly Permission[];
}

/** All that is kept. */
export interface State {
  comments: Comment[];
  issues: Issue[];
  artifacts: Artifact[];
  /** Text of a file by `SHA:path`. */
  files: Map<string, string>;
  /** Commits that are not on the default branch. */
  elsewhere: Set<string>;
}

export const repository = { id: 74, full_name: 'octo-org/octo-repo', default_branch: 'main' };
export const bot: User = { login: 'github-actions[bot]', type: 'Bot' };
export const everything: readonly Permission[] = [
  'contents: read',
  'actions: read',
  'pull-requests: write',
  'issues: write',
  'metadata: read',
];
/** The token of a job that may do everything. */
export const jobToken = 'ghs_jobTokenOfTheTests';
const base = `/repos/${repository.full_name}`;

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Readonly<Partial<Record<string, unknown>>>;
  user: User;
  accept: string;
}

export interface Reply {
  status: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

export interface Route {
  pattern: RegExp;
  /** One of them is enough. */
  needs: readonly Permission[];
  answer(asked: Asked, parts: string[]): Reply;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
const created = (body: unknown): Reply => ({ status: 201, body });
export const notFound: Reply = {
  status: 404,
  body: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' },
};
export const notAccessible: Reply = {
  status: 403,
  body: {
    message: 'Resource not accessible by integration',
    documentation_url: 'https://docs.github.com/rest',
  },
};

/** @param store address of the store of artifacts */
export function routesOf(state: State, store: string, nextId: () => number): Route[] {
  return [
    {
      pattern: new RegExp(`^GET ${base}$`),
      needs: ['metadata: read'],
      answer: () => ok({ ...repository, private: true, visibility: 'private' }),
    },
    {
      pattern: new RegExp(`^GET ${base}/contents(?:/(.*))?$`),
      needs: ['contents: read'],
      answer({ query, accept }, [path = '']) {
        const ref = query.get('ref') ?? '';
        const known = [...state.files.keys()].filter((key) => key.startsWith(`${ref}:`));
        if (known.length === 0)
          return { status: 404, body: { message: `No commit found for the ref ${ref}` } };
        if (path === '') return ok(known.map((key) => ({ path: key.slice(ref.length + 1), type: 'file' })));
        const text = state.files.get(`${ref}:${path}`);
        if (text === undefined) return notFound;
        return accept.includes('raw')
          ? {
              status: 200,
              text,
              headers: { 'content-type': 'application/vnd.github.raw+json; charset=utf-8' },
            }
          : ok({ type: 'file', encoding: 'base64', content: Buffer.from(text).toString('base64') });
      },
    },
    {
      pattern: new RegExp(`^GET ${base}/issues/(\\d+)/comments$`),
      needs: ['pull-requests: write', 'issues: write'],
      answer: (_, [number]) => ok(state.comments.filter(({ issue }) => issue === Number(number))),
    },
    {
      pattern: new RegExp(`^POST ${base}/issues/(\\d+)/comments$`),
      needs: ['pull-requests: write', 'issues: write'],
      answer({ body, user }, [number]) {
        const tooLong = validated(body.body);
        if (tooLong) return tooLong;
        const id = nextId();
        const html_url = `https://github.com/${repository.full_name}/pull/${number}#issuecomment-${id}`;
        const comment = { id, issue: Number(number), user, body: String(body.body), html_url };
        state.comments.push(comment);
        return created(comment);
      },
    },
    {
      pattern: new RegExp(`^PATCH ${base}/issues/comments/(\\d+)$`),
      needs: ['pull-requests: write', 'issues: write'],
      answer({ body, user }, [id]) {
        const comment = state.comments.find((each) => each.id === Number(id));
        if (!comment) return notFound;
        if (comment.user.login !== user.login) return notAccessible;
        const tooLong = validated(body.body);
        if (tooLong) return tooLong;
        comment.body = String(body.body);
        return ok(comment);
      },
    },
    {
      pattern: new RegExp(`^GET ${base}/issues$`),
      needs: ['issues: write'],
      answer({ query }) {
        const label = query.get('labels');
        const wanted = query.get('state') ?? 'open';
        return ok(
          state.issues
            .filter((issue) => wanted === 'all' || issue.state === wanted)
            .filter(({ labels }) => label === null || labels.includes(label))
            .map(shown),
        );
      },
    },
    {
      pattern: new RegExp(`^POST ${base}/issues$`),
      needs: ['issues: write'],
      answer({ body, user }) {
        const tooLong = validated(body.body);
        if (tooLong) return tooLong;
        const issue: Issue = {
          number: state.issues.length + 1,
          user,
          title: String(body.title),
          body: String(body.body),
          state: 'open',
          state_reason: null,
          labels: Array.isArray(body.labels) ? body.labels.map(String) : [],
        };
        state.issues.push(issue);
        return created(shown(issue));
      },
    },
    {
      pattern: new RegExp(`^PATCH ${base}/issues/(\\d+)$`),
      needs: ['issues: write'],
      answer({ body }, [number]) {
        const issue = state.issues.find((each) => each.number === Number(number));
        if (!issue) return notFound;
        if (typeof body.title === 'string') issue.title = body.title;
        if (typeof body.body === 'string') issue.body = body.body;
        if (body.state === 'open' || body.state === 'closed') issue.state = body.state;
        if (typeof body.state_reason === 'string') issue.state_reason = body.state_reason;
        return ok(shown(issue));
      },
    },
    {
      pattern: new RegExp(`^GET ${base}/actions/artifacts$`),
      needs: ['actions: read'],
      answer({ query }) {
        const name = query.get('name');
        const found = state.artifacts
          .filter((artifact) => name === null || artifact.name === name)
          .toSorted((a, b) => b.created.localeCompare(a.created));
        const size = Number(query.get('per_page') ?? 30);
        const page = Number(query.get('page') ?? 1);
        return ok({
          total_count: found.length,
          artifacts: found.slice((page - 1) * size, page * size).map(listed),
        });
      },
    },
    {
      pattern: new RegExp(`^GET ${base}/actions/runs/(\\d+)$`),
      needs: ['actions: read'],
      answer(_, [id]) {
        const run = state.artifacts.find((each) => each.run.id === Number(id))?.run;
        if (!run) return notFound;
        const { repository_id, head_repository_id, ...rest } = run;
        return ok({
          ...rest,
          repository: { id: repository_id },
          head_repository: { id: head_repository_id },
        });
      },
    },
    {
      pattern: new RegExp(`^GET ${base}/compare/(.+?)\\.\\.\\.(.+)$`),
      needs: ['contents: read'],
      answer: (_, [sha = '', branch]) =>
        branch === repository.default_branch
          ? ok({ status: state.elsewhere.has(sha) ? 'diverged' : 'ahead', commits: [], files: [] })
          : notFound,
    },
    {
      pattern: new RegExp(`^GET ${base}/actions/artifacts/(\\d+)/zip$`),
      needs: ['actions: read'],
      answer(_, [id]) {
        const artifact = state.artifacts.find((each) => each.id === Number(id));
        if (!artifact) return notFound;
        if (artifact.expired) return { status: 410, body: { message: 'Artifact has expired' } };
        return { status: 302, headers: { location: `${store}/store/${artifact.id}?sig=signed` } };
      },
    },
  ];
}

function validated(body: unknown): Reply | null {
  return typeof body !== 'string' || [...body].length > 65_536
    ? {
        status: 422,
        body: {
          message: 'Validation Failed',
          errors: [
            {
              resource: 'IssueComment',
              field: 'body',
              message: 'Body is too long (maximum is 65536 characters)',
            },
          ],
        },
      }
    : null;
}

function shown(issue: Issue): object {
  const { labels, number } = issue;
  return {
    ...issue,
    labels: labels.map((name) => ({ name })),
    html_url: `https://github.com/${repository.full_name}/issues/${number}`,
  };
}

function listed({ id, name, content, created: at, expired, digest, run }: Artifact): object {
  const { event: _, ...workflow_run } = run;
  return {
    id,
    name,
    size_in_bytes: content.length,
    created_at: at,
    updated_at: at,
    expired,
    digest,
    workflow_run,
  };
}
