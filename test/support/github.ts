/**
 * A loopback stand-in of GitHub's REST API, as much of it as the action uses: comments, issues, files at a commit,
 * artifacts. It answers as api.github.com does: pages with Link, X-GitHub-Request-Id, 403 for what an installation's
 * token may not do, a redirect to a store on another port for a download.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Artifact,
  type Asked,
  bot,
  type Comment,
  everything,
  type Issue,
  jobToken,
  notAccessible,
  notFound,
  ok,
  type Reply,
  type Route,
  repository,
  routesOf,
  type Token,
} from './github-routes.ts';
import { type LoopbackServer, listen, parseObject, readBody, takePlanted } from './receiver.ts';

/** What a request gets instead of its answer. */
export interface Planted {
  /** Of `METHOD /path`. */
  route: RegExp;
  status: number | 'hang' | 'reset';
  headers?: Record<string, string>;
  message?: string;
  times?: number;
}

export interface GitHub extends LoopbackServer {
  comments: Comment[];
  issues: Issue[];
  artifacts: Artifact[];
  /** Text of a file by `SHA:path`. */
  files: Map<string, string>;
  /** Commits that are not on the default branch. */
  elsewhere: Set<string>;
  tokens: Map<string, Token>;
  /** `METHOD /path?query` in order. */
  requests: string[];
  /** Authorization headers that reached the store of artifacts, which must get none. */
  leaked: string[];
  plant(planted: Planted): void;
  addArtifact(
    name: string,
    content: string | Buffer,
    more?: Partial<Omit<Artifact, 'run'>> & { run?: Partial<Artifact['run']> },
  ): Artifact;
  /** Variables of a run whose job has this token. */
  environment: Record<string, string>;
}

/** Starts the API and, on another port, the store of artifacts. */
export async function startGitHub(): Promise<GitHub> {
  const planted: Planted[] = [];
  const requests: string[] = [];
  const leaked: string[] = [];
  const state = {
    comments: [] as Comment[],
    issues: [] as Issue[],
    artifacts: [] as Artifact[],
    files: new Map<string, string>(),
    elsewhere: new Set<string>(),
    tokens: new Map<string, Token>([[jobToken, { user: bot, installation: true, permissions: everything }]]),
  };
  // Above 2^31, as GitHub's are.
  let nextId = 3_000_000_001;
  const store = await listen(async (request, response, url) => {
    if (request.headers.authorization) leaked.push(request.headers.authorization);
    const artifact = state.artifacts.find(({ id }) => url.pathname === `/store/${id}`);
    if (!artifact || url.searchParams.get('sig') !== 'signed') return void response.writeHead(403).end();
    response.writeHead(200, {
      'content-type': artifact.contentType,
      'content-length': artifact.content.length,
      'content-disposition': `attachment; filename="${artifact.name}"`,
    });
    response.end(artifact.content);
  });

  const routes = routesOf(state, store.origin, () => nextId++);

  const api = await listen(async (request, response, url) => {
    const asked = `${request.method} ${decodeURIComponent(url.pathname).replace(/(?<=.)\/$/, '')}`;
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    const fault = takePlanted(planted.filter(({ route }) => route.test(asked)));
    if (fault && fault.times === 0) planted.splice(planted.indexOf(fault), 1);
    if (fault?.status === 'hang') return;
    if (fault?.status === 'reset') return void request.socket.destroy();
    const body = parseObject((await readBody(request)).toString()) ?? {};
    if (fault)
      return send(url, response, {
        status: Number(fault.status),
        body: { message: fault.message ?? 'Server Error' },
        ...(fault.headers ? { headers: fault.headers } : {}),
      });
    send(url, response, reply(routes, state.tokens, asked, url, request, body));
  });

  return {
    ...state,
    origin: api.origin,
    requests,
    leaked,
    plant: (each) => void planted.push({ ...each }),
    addArtifact(name, content, { run, ...more } = {}) {
      const bytes = Buffer.from(content);
      const id = nextId++;
      const artifact: Artifact = {
        id,
        name,
        content: bytes,
        created: new Date(Date.UTC(2026, 10, 1) + state.artifacts.length * 60_000).toISOString(),
        expired: false,
        digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
        contentType: 'application/octet-stream',
        ...more,
        run: {
          id: 1658821000 + state.artifacts.length,
          repository_id: repository.id,
          head_repository_id: repository.id,
          head_branch: repository.default_branch,
          head_sha: 'ffac537e6cbbf934b08745a378932722df287a53',
          event: 'schedule',
          ...run,
        },
      };
      state.artifacts.push(artifact);
      return artifact;
    },
    environment: {
      GITHUB_API_URL: api.origin,
      GITHUB_TOKEN: jobToken,
      GITHUB_REPOSITORY: repository.full_name,
      no_proxy: '127.0.0.1',
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

function reply(
  routes: readonly Route[],
  tokens: ReadonlyMap<string, Token>,
  asked: string,
  url: URL,
  request: IncomingMessage,
  body: Asked['body'],
): Reply {
  const token = tokens.get((request.headers.authorization ?? '').replace(/^(token|bearer) /i, ''));
  if (!token) return { status: 401, body: { message: 'Bad credentials' } };
  if (asked === 'GET /user') return token.installation ? notAccessible : ok(token.user);
  for (const { pattern, needs, answer } of routes) {
    const parts = pattern.exec(asked);
    if (!parts) continue;
    if (!needs.some((need) => token.permissions.includes(need))) return notAccessible;
    return answer(
      {
        method: request.method ?? '',
        path: asked,
        query: url.searchParams,
        body,
        user: token.user,
        accept: request.headers.accept ?? '',
      },
      parts.slice(1),
    );
  }
  return notFound;
}

/** Lists come in pages, with the address of the next one in Link. */
function send(url: URL, response: ServerResponse, { status, body, text, headers = {} }: Reply): void {
  const all: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'x-github-request-id': randomUUID(),
    'x-ratelimit-remaining': '4999',
    ...headers,
  };
  let shownBody = body;
  if (Array.isArray(body)) {
    const size = Number(url.searchParams.get('per_page') ?? 30);
    const page = Number(url.searchParams.get('page') ?? 1);
    shownBody = body.slice((page - 1) * size, page * size);
    if (page * size < body.length) {
      const next = new URL(url);
      next.searchParams.set('page', String(page + 1));
      all.link = `<http://${response.req.headers.host}${next.pathname}${next.search}>; rel="next"`;
    }
  }
  response.writeHead(status, all).end(text ?? (shownBody === undefined ? '' : JSON.stringify(shownBody)));
}
