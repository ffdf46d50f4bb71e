/** Whose comments and issues are ours: whatever the token's own user wrote, and nothing else. */
import { type Api, statusOf } from './api.ts';

/** As much of a user as GitHub shows everywhere. */
export interface Author {
  login: string;
  type: string;
}

/** Tells whether something is of the token's own user. */
export type IsOwn = (author: Author | null | undefined) => boolean;

/**
 * A person's token knows its user. The job's token is of an app, which may not ask: 403. Then any bot counts, since
 * nobody can write as one who is not let in.
 * @throws whatever else the call throws
 */
export async function ownUser({ client }: Api, signal: AbortSignal): Promise<IsOwn> {
  try {
    const { data } = await client.rest.users.getAuthenticated({ request: { signal } });
    return (author) => author?.login === data.login;
  } catch (cause) {
    if (statusOf(cause) !== 403) throw cause;
    return (author) => author?.type === 'Bot';
  }
}
