/** News for tests of the formats. */
import type { News } from '../../src/notify/news.ts';

export const atEnd: News = {
  id: 'octo-org/octo-repo/7/1/orders/upgrade/end',
  moment: 'end',
  time: '2026-11-20T18:00:10.000Z',
  source: 'https://github.com/octo-org/octo-repo',
  target: 'orders',
  environment: 'embedded',
  mode: 'upgrade',
  from: '15.17',
  wanted: '15.20',
  now: '15.20',
  result: 'success',
  verdict: 'PostgreSQL 15.17 was upgraded to 15.20.',
  state: 'PostgreSQL 15.20 serves clients.',
  next: null,
  downtimeMs: 640,
  planDigest: 'd'.repeat(64),
  url: 'https://github.com/octo-org/octo-repo/actions/runs/7',
  actor: 'octocat',
  overrides: [{ gate: 'window', by: 'octocat', what: 'No maintenance window of orders is open.' }],
};
