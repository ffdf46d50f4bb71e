/** Posts one message. Never throws, and never says the address: it is a secret. */

/** What is sent, and to whom. */
export interface Post {
  url: string;
  contentType: string;
  body: string;
  /** Sent as bearer; null for none. */
  token: string | null;
}

/** How much time there is, in milliseconds. */
export interface Patience {
  /** For one answer. */
  answer: number;
  /** Before the second attempt; null for a single attempt. */
  retry: number | null;
}

/** Longest wait that a receiver may ask for (Retry-After), in milliseconds. */
const longestRetry = 2000;

/** An attempt: why it failed, and whether another one may help. */
interface Failure {
  why: string;
  again: boolean;
  /** What the receiver asked for, in milliseconds. */
  after?: number;
}

/**
 * @param signal ends it all
 * @returns why it was not delivered; null where it was
 */
export async function post(message: Post, patience: Patience, signal: AbortSignal): Promise<string | null> {
  const first = await attempt(message, patience, signal);
  if (first === null) return null;
  if (!first.again || patience.retry === null || signal.aborted) return first.why;
  await pause(Math.min(first.after ?? patience.retry, longestRetry), signal);
  if (signal.aborted) return first.why;
  return (await attempt(message, patience, signal))?.why ?? null;
}

async function attempt(message: Post, patience: Patience, signal: AbortSignal): Promise<Failure | null> {
  const timeout = AbortSignal.timeout(patience.answer);
  try {
    const response = await fetch(message.url, {
      method: 'POST',
      headers: {
        'content-type': message.contentType,
        'user-agent': 'postgres-upgrade-action',
        ...(message.token === null ? {} : { authorization: `Bearer ${message.token}` }),
      },
      body: message.body,
      // A redirect could lead the message, and the token with it, anywhere.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    await response.body?.cancel();
    if (response.ok) return null;
    return refused(response);
  } catch (cause) {
    if (signal.aborted) return { why: 'there was no time left for it', again: false };
    // It may have arrived all the same: a second one could tell everybody twice.
    if (timeout.aborted) return { why: `no answer within ${patience.answer / 1000} seconds`, again: false };
    return lost(cause);
  }
}

function refused({ status, headers }: Response): Failure {
  if (status >= 300 && status < 400)
    return { why: `the answer was a redirect (HTTP ${status}), which is not followed`, again: false };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return {
    why: `HTTP ${status}`,
    again: status === 429 || status >= 500,
    ...(Number.isFinite(seconds) && seconds >= 0 ? { after: seconds * 1000 } : {}),
  };
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  ENOTFOUND: 'the name of its host is not known',
  EAI_AGAIN: 'the name of its host could not be looked up',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
};

/** Only the code of a network error is told: its message names the address. */
function lost(thrown: unknown): Failure {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  const known = words[code];
  if (known !== undefined) return { why: known, again: true };
  if (/^[A-Z][A-Z0-9_]+$/.test(code)) return { why: `the connection failed (${code})`, again: true };
  return { why: 'the message could not be sent', again: false };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
