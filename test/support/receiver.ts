/** Loopback HTTP: a receiver of the action's reports and a stand-in of GitHub's OIDC token endpoint. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

export interface LoopbackServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  origin: string;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

/** Listens on 127.0.0.1 and a free port; a handler that throws answers 500 with the reason. */
export async function listen(handle: Handler): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    handle(request, response, url).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the loopback server has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      // Without this a client's kept-alive or stalled socket holds the close for ever.
      server.closeAllConnections();
      await closed;
    },
  };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export type JsonObject = Readonly<Partial<Record<string, unknown>>>;

/** The object that a text holds as JSON, or undefined. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A token whose claims can be read and whose signature nobody can check. */
export function unsignedJwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.unsigned`;
}

export interface Received {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Answer {
  status: number;
  /** How many requests get it; every one from now on when absent. */
  times?: number;
  body?: string;
  headers?: Record<string, string>;
  /** Never answers: the request stays open. */
  stall?: boolean;
}

export interface Receiver extends LoopbackServer {
  /** For the action's `report-url`. */
  url: string;
  /** Every request but those for a token, also those that a planted answer turned away. */
  received: readonly Received[];
  /** Plants an answer; several are used up in the order planted. Otherwise a report gets 202. */
  answer(planted: Answer): void;
  /** Plants an answer of the token endpoint. */
  answerToken(planted: Answer): void;
  /** The audiences asked for, in order. */
  audiences: readonly (string | undefined)[];
  /** ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN, which a job has under `permissions: id-token: write`. */
  environment: Record<string, string>;
}

export interface ReceiverOptions {
  /** Claims of the identity token, over the defaults. */
  claims?: Readonly<Record<string, unknown>>;
}

/**
 * The token endpoint answers as GitHub's does: GET with `audience` and the bearer token gives
 * `{"count", "value"}`; another bearer gets 401. The token is not signed.
 */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const received: Received[] = [];
  const audiences: (string | undefined)[] = [];
  const reports: Answer[] = [];
  const tokens: Answer[] = [];
  const bearer = `oidc-request-${randomUUID()}`;

  const server = await listen(async (request, response, url) => {
    const isToken = url.pathname === '/oidc/token';
    const body = (await readBody(request)).toString();
    if (!isToken) {
      const { method = '', headers } = request;
      received.push({ method, path: url.pathname + url.search, headers, body });
    }
    const planted = takePlanted(isToken ? tokens : reports);
    if (planted?.stall) return;
    if (planted) {
      response.writeHead(planted.status, planted.headers).end(planted.body ?? '');
    } else if (!isToken) {
      answerJson(response, 202, {});
    } else if (request.headers.authorization !== `Bearer ${bearer}`) {
      answerJson(response, 401, { message: 'Unauthorized' });
    } else {
      const audience = url.searchParams.get('audience') ?? undefined;
      audiences.push(audience);
      const value = unsignedJwt({ ...identity(audience), ...options.claims });
      answerJson(response, 200, { count: value.length, value });
    }
  });

  return {
    ...server,
    url: `${server.origin}/reports`,
    received,
    audiences,
    answer: (planted) => reports.push({ ...planted }),
    answerToken: (planted) => tokens.push({ ...planted }),
    environment: {
      // The client appends `&audience=`, so the address has to hold a query already.
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/oidc/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer,
    },
  };
}

/** The first planted thing; gone from the list once it was used as often as it said. */
export function takePlanted<T extends { times?: number }>(list: T[]): T | undefined {
  const first = list[0];
  if (first?.times !== undefined) {
    first.times -= 1;
    if (first.times <= 0) list.shift();
  }
  return first;
}

function identity(audience: string | undefined): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: 'https://token.actions.githubusercontent.com',
    aud: audience ?? 'https://github.com/octo-org',
    sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
    repository: 'octo-org/octo-repo',
    repository_id: '74',
    run_id: '1658821493',
    run_attempt: '1',
    jti: randomUUID(),
    nbf: now - 600,
    iat: now,
    exp: now + 300,
  };
}
