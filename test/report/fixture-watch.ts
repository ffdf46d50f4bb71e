/** A watch that went well, and one that crossed a limit. */
import type { WatchRecord } from '../../src/report/record-watch.ts';
import { at } from './fixture-parts.ts';

export const held: WatchRecord = {
  applications: [
    {
      name: 'storefront',
      health: 'http://localhost:8080/health',
      before: 'well',
      beforeSeen: 'HTTP 200',
      looks: 13,
      failures: 1,
      last: 'HTTP 200',
    },
    {
      name: 'reports',
      health: 'http://localhost:8081/health',
      before: 'unwell',
      beforeSeen: 'connect ECONNREFUSED 127.0.0.1:8081',
      looks: 0,
      failures: 0,
      last: null,
    },
  ],
  observed: {
    from: at('18:02:20.000'),
    to: at('18:03:20.000'),
    forMs: 60_000,
    everyMs: 5000,
    looks: 13,
    connections: { attempts: 14, failures: 1, allowed: 0.1, last: 'no free connection' },
    extensions: [{ database: 'orders', extension: 'pg_tviews', before: 2, most: 2 }],
    log: '/var/log/postgresql/postgresql-15-main.log',
    limit: null,
  },
};

export const crossed: WatchRecord = {
  applications: held.applications,
  observed: {
    ...(held.observed as NonNullable<WatchRecord['observed']>),
    to: at('18:02:40.000'),
    looks: 4,
    limit: {
      name: 'applications',
      what: 'storefront does not answer at http://localhost:8080/health (HTTP 503)',
      since: at('18:02:35.000'),
    },
  },
};
