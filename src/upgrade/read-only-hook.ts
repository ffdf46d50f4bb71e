/** The application's own switch: one request when writes shall be refused, one when they are accepted again. */

import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Cancelled, UpgradeError } from '../errors.ts';
import { isLoopback } from '../process/loopback.ts';
import { resolveReference } from '../spec/load.ts';
import type { HookCall, HookSpec } from '../spec/read-only-schema.ts';
import type { Run } from './target.ts';

/** For people: without what a query may hold. */
export function shownCall({ method, url }: HookCall): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

/**
 * Sends one of the two requests. Only 2xx is good; a redirect could lead the token anywhere, and is not followed.
 * @throws Cancelled, UpgradeError `read-only-hook`, `secret-missing`
 */
export async function callHook(
  run: Pick<Run, 'context' | 'environment'>,
  hook: HookSpec,
  which: 'enter' | 'leave',
  signal: AbortSignal,
): Promise<void> {
  const call = hook[which];
  const { context, environment } = run;
  const token = hook.token === undefined ? null : resolveReference(hook.token, context.variables).trim();
  if (token !== null) context.secrets.add(token);
  const timeout = AbortSignal.timeout(hook.timeout * 1000);
  let why: string;
  try {
    const url = new URL(call.url);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const here = { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) };
    const at =
      environment.reach && isLoopback(url.hostname) ? await environment.reach(host, here.port) : here;
    const status = await statusOf(call, url, at, token, AbortSignal.any([signal, timeout]));
    if (status >= 200 && status < 300) return;
    why = `the answer was ${status >= 300 && status < 400 ? 'a redirect, which is not followed: ' : ''}HTTP ${status}`;
  } catch (cause) {
    if (signal.aborted) throw new Cancelled();
    why = timeout.aborted ? `no answer within ${hook.timeout} seconds` : codeOf(cause);
  }
  throw new UpgradeError('read-only-hook', `The hook ${shownCall(call)} did not succeed: ${why}.`, {
    phase: 'upgrade',
    hint:
      which === 'enter'
        ? 'It is told to leave again, since it may have been heard. Look at the log of the application.'
        : 'The application may refuse writes until it is told otherwise: look at its log, or tell it by hand.',
    docs: 'read-only.md#hook',
  });
}

/** The Host header, and the name that a certificate must have, are the address's own, wherever the socket leads. */
function statusOf(
  { method, body }: HookCall,
  url: URL,
  at: { host: string; port: number },
  token: string | null,
  signal: AbortSignal,
): Promise<number> {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const content = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const options: RequestOptions = {
    method,
    ...at,
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      'user-agent': 'postgres-upgrade-action',
      connection: 'close',
      'content-length': content?.length ?? 0,
      ...(content ? { 'content-type': 'application/json' } : {}),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    agent: false,
    signal,
  };
  return new Promise((resolve, reject) => {
    const asked =
      url.protocol === 'https:'
        ? requestHttps({
            ...options,
            servername: isIP(name) ? '' : name,
            checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
          })
        : requestHttp(options);
    asked.on('error', reject);
    asked.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      // Nobody reads the body, and it may never end.
      response.destroy();
    });
    asked.end(content ?? undefined);
  });
}

/** Where a name has several addresses, the code is with the first of them. */
function codeOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause;
  if (first instanceof UpgradeError) return first.message.replace(/\.$/, '');
  const { code } = first as NodeJS.ErrnoException;
  return code === undefined ? 'the request could not be sent' : `the connection failed (${code})`;
}
