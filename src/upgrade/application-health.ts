/** Asking an application for its health, as the machine that it runs on would: `localhost` there is not ours. */

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity } from 'node:tls';
import type { Environment } from '../environments/environment.ts';
import { Cancelled, messageOf } from '../errors.ts';
import { isLoopback } from '../process/loopback.ts';
import type { ApplicationSpec } from '../spec/schema.ts';

/** Where the commands of applications run, and how their addresses are reached. */
export type Place = Pick<Environment, 'command' | 'reach'>;

/** An application that can be asked how it is. */
export type AskedApplication = ApplicationSpec & { health: string };

/** Whether the spec names an address to ask. */
export function isAsked(application: ApplicationSpec): application is AskedApplication {
  return application.health !== undefined;
}

/** What came back; `seen` in words: `HTTP 503`, `connect ECONNREFUSED 127.0.0.1:8080`. */
export interface HealthAnswer {
  well: boolean;
  seen: string;
}

/** Milliseconds that one answer may take. */
const patience = 5000;

/**
 * Asks once: 2xx is well, a redirect is not. A loopback address of an application on the target is that machine's.
 * @throws Cancelled
 */
export async function askApplication(
  application: AskedApplication,
  place: Place,
  signal?: AbortSignal,
): Promise<HealthAnswer> {
  const url = new URL(application.health);
  const timeout = AbortSignal.timeout(patience);
  try {
    const at = await addressOf(url, application['runs-on'], place);
    const status = await statusOf(url, at, signal ? AbortSignal.any([signal, timeout]) : timeout);
    return { well: status >= 200 && status < 300, seen: `HTTP ${status}` };
  } catch (cause) {
    if (signal?.aborted) throw new Cancelled();
    return { well: false, seen: timeout.aborted ? `no answer within ${patience / 1000} s` : reasonOf(cause) };
  }
}

/** How a wait for an application is told, and ended. */
export interface Waiting {
  progress?: (text: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Asks until it is well, for so many seconds and at least once; says so every 5 seconds.
 * @returns the last answer
 */
export async function awaitWell(
  application: AskedApplication,
  seconds: number,
  place: Place,
  { progress, signal }: Waiting = {},
): Promise<HealthAnswer> {
  const begun = performance.now();
  const passed = (): number => (performance.now() - begun) / 1000;
  let tell = 2;
  for (;;) {
    const answer = await askApplication(application, place, signal);
    if (answer.well || passed() >= seconds) return answer;
    if (passed() >= tell) {
      progress?.(`waiting for ${application.name}: ${Math.round(passed())} of ${seconds} s, ${answer.seen}`);
      tell = passed() + 5;
    }
    await sleep(250, undefined, { signal });
  }
}

/** A host as a socket takes it: a URL writes IPv6 in brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

async function addressOf(
  url: URL,
  runsOn: ApplicationSpec['runs-on'],
  place: Place,
): Promise<{ host: string; port: number }> {
  const here = { host: hostOf(url), port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) };
  if (runsOn !== 'target' || !place.reach || !isLoopback(url.hostname)) return here;
  return await place.reach(here.host, here.port);
}

/** The Host header, and the name that a certificate must have, are the address's own, wherever the socket leads. */
function statusOf(url: URL, at: { host: string; port: number }, signal: AbortSignal): Promise<number> {
  const host = hostOf(url);
  const common = {
    host: at.host,
    port: at.port,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'user-agent': 'postgres-upgrade', connection: 'close' },
    agent: false,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    const asked =
      url.protocol === 'https:'
        ? requestHttps({
            ...common,
            servername: isIP(host) ? '' : host,
            checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
          })
        : requestHttp(common);
    asked.on('error', reject);
    asked.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      // Nobody reads the body, and it may never end.
      response.destroy();
    });
    asked.end();
  });
}

/** Where a name has several addresses, what node throws has no message of its own. */
function reasonOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return messageOf(first) || (cause as NodeJS.ErrnoException).code || 'no answer';
}
