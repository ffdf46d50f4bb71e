/** The comments of a pull request that are ours. */
import type { Api } from './api.ts';
import type { IsOwn } from './own.ts';

/** Pages of a hundred comments that are looked through. */
const mostPages = 30;

/** A comment as it is now. */
export interface Comment {
  id: number;
  body: string;
  url: string;
}

/** Ours, the oldest first. @throws what the calls throw */
export async function* ownComments(
  { client, repository }: Api,
  number: number,
  isOwn: IsOwn,
  signal: AbortSignal,
): AsyncGenerator<Comment> {
  const pages = client.paginate.iterator(client.rest.issues.listComments, {
    ...repository,
    issue_number: number,
    per_page: 100,
    request: { signal },
  });
  let page = 0;
  for await (const { data } of pages) {
    for (const { id, body, user, html_url: url } of data)
      if (isOwn(user)) yield { id, body: body ?? '', url };
    page += 1;
    if (page >= mostPages) return;
  }
}
