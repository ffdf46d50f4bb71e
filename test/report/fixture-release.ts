/** Releases, security fixes and release advice from 15.1 to 15.20. */
import type { AdviceRecord, ReleaseRecord } from '../../src/report/record-release.ts';

const DATES = [
  '2022-10-13',
  '2022-11-10',
  '2023-02-09',
  '2023-05-11',
  '2023-08-10',
  '2023-11-09',
  '2024-02-08',
  '2024-05-09',
  '2024-08-08',
  '2024-11-14',
  '2024-11-21',
  '2025-02-13',
  '2025-02-20',
  '2025-05-08',
  '2025-08-14',
  '2025-11-13',
  '2026-02-12',
  '2026-02-26',
  '2026-05-14',
  '2026-08-13',
  '2026-11-12',
];
const AVOID = new Set(['15.0', '15.9', '15.11', '15.16']);

/** Address of the notes of a release. */
export function notesOf(version: string): string {
  return `https://www.postgresql.org/docs/release/${version}/`;
}

/** 21 releases of 15, four of them to be avoided; 100 CVEs, 41 of them with a score of 7 or more. */
export const release: ReleaseRecord = {
  asOf: '2026-11-20',
  lines: [
    {
      major: 15,
      endOfLife: '2027-11-11',
      daysToEndOfLife: 356,
      newest: '15.20',
      releases: DATES.map((date, minor) => ({
        version: `15.${minor}`,
        date,
        avoid: AVOID.has(`15.${minor}`),
        inferred: false,
      })),
    },
  ],
  behind: 19,
  daysBehind: 1463,
  cves: Array.from({ length: 100 }, (_, index) => ({
    id: `CVE-${2026 - Math.floor(index / 25)}-${2000 + index}`,
    score:
      index < 41
        ? 8.8 - Math.floor(index / 10) * 0.4
        : index < 96
          ? 6.5 - Math.floor(index / 15) * 0.3
          : null,
    component: index % 4 === 3 ? null : (['core server', 'client', 'contrib module'][index % 4] ?? null),
    fixedIn: `15.${20 - (index % 19)}`,
  })),
  cvesUnknown: ['15.20'],
  mustRead: [
    {
      version: '15.7',
      why: 'Its fix of the statistics views is not applied to existing databases by an upgrade.',
      link: notesOf('15.7'),
    },
  ],
};

function advice(part: Partial<AdviceRecord> & Pick<AdviceRecord, 'id' | 'title' | 'fixedIn'>): AdviceRecord {
  return {
    why: 'What the notes say about it.',
    todo: 'Do what the notes say.',
    timing: 'after',
    certainty: 'cannot-be-seen',
    state: 'does-not-apply',
    by: 'person',
    objects: [],
    total: 0,
    seen: [],
    link: notesOf(part.fixedIn),
    ...part,
  };
}

/** Four pieces that apply, three that cannot be seen, 18 that do not apply. */
export const richAdvice: AdviceRecord[] = [
  advice({
    id: 'brin-null-handling',
    title: 'BRIN indexes can miss rows with nulls',
    fixedIn: '15.5',
    why: 'Older releases merged the null flags of page ranges wrongly, so a search can miss rows.',
    todo: 'Reindex the BRIN indexes over columns that may be null.',
    certainty: 'candidates',
    state: 'applies',
    by: 'action',
    total: 3,
    objects: [
      {
        database: 'orders',
        name: 'public.events_at_brin',
        sql: 'REINDEX INDEX CONCURRENTLY public.events_at_brin',
        detail: '4.1 MiB',
        state: 'found',
      },
      {
        database: 'orders',
        name: 'public."Log_brin"',
        sql: 'REINDEX INDEX CONCURRENTLY public."Log_brin";',
        detail: '12.0 MiB',
        state: 'found',
      },
      {
        database: 'billing',
        name: 'public.invoices_day_brin',
        sql: 'REINDEX INDEX CONCURRENTLY public.invoices_day_brin',
        detail: null,
        state: 'found',
      },
    ],
  }),
  advice({
    id: 'detached-partition-fk',
    title: 'Detached partitions can lack a foreign key',
    fixedIn: '15.9',
    why: 'DETACH PARTITION of a partitioned table with a foreign key left the partition without its triggers.',
    todo: 'Drop the constraint and add it again.',
    timing: 'after',
    certainty: 'exact',
    state: 'applies',
    total: 1,
    objects: [
      {
        database: 'orders',
        name: 'public.orders_2023 orders_customer_fk',
        sql: 'BEGIN;\nALTER TABLE public.orders_2023 DROP CONSTRAINT orders_customer_fk;\nALTER TABLE public.orders_2023 ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer) REFERENCES public.customers (id);\nCOMMIT;',
        detail: 'references public.customers',
        state: 'found',
      },
    ],
  }),
  advice({
    id: 'output-plugin-allowlist',
    title: 'Output plugins have to be allowed',
    fixedIn: '15.20',
    why: 'From 15.20 on, a logical slot works only with a plugin that output_plugins allows.',
    todo: 'Add the plugins in use to output_plugins.',
    timing: 'before',
    certainty: 'exact',
    state: 'applies',
    total: 1,
    objects: [{ database: null, name: 'wal2json', sql: null, detail: 'slot cdc_orders', state: 'found' }],
  }),
  advice({
    id: 'cve-2024-4317-stats-views',
    title: 'Statistics views of existing databases stay readable by all',
    fixedIn: '15.7',
    why: 'The fix of CVE-2024-4317 is only in databases that are created after it.',
    todo: 'Run fix-CVE-2024-4317.sql in every database, template0 and template1 too.',
    timing: 'after',
    certainty: 'exact',
    state: 'applies',
    by: 'action',
    total: 4,
    objects: ['orders', 'billing', 'template0', 'template1'].map((database) => ({
      database,
      name: 'pg_catalog.pg_stats_ext',
      sql: null,
      detail: null,
      state: 'found' as const,
    })),
  }),
  advice({
    id: 'psql-restrict',
    title: 'Dumps of old clients hold no \\restrict',
    fixedIn: '15.14',
    state: 'judge',
  }),
  advice({ id: 'libpq-quoting', title: 'Programs that quote with libpq', fixedIn: '15.11', state: 'judge' }),
  advice({ id: 'standby-order', title: 'Standbys first', fixedIn: '15.16', state: 'judge', timing: 'order' }),
  ...Array.from({ length: 18 }, (_, index) =>
    advice({ id: `other-${index}`, title: `Other advice ${index}`, fixedIn: `15.${index + 1}` }),
  ),
];

/** Every other state that advice can be in. */
export const carriedOut: AdviceRecord[] = [
  advice({
    id: 'brin-null-handling',
    title: 'BRIN indexes can miss rows with nulls',
    fixedIn: '15.5',
    certainty: 'candidates',
    by: 'action',
    state: 'done',
    total: 1,
    objects: [
      {
        database: 'orders',
        name: 'public.events_at_brin',
        sql: 'REINDEX INDEX CONCURRENTLY public.events_at_brin',
        detail: 'took 3.2 s',
        state: 'done',
      },
    ],
  }),
  advice({
    id: 'gist-multirange',
    title: 'GiST indexes over multiranges can miss rows',
    fixedIn: '15.4',
    certainty: 'exact',
    by: 'action',
    state: 'partly',
    total: 2,
    seen: ['lock timeout on public.b_gist'],
    objects: [
      {
        database: 'orders',
        name: 'public.a_gist',
        sql: 'REINDEX INDEX public.a_gist',
        detail: null,
        state: 'done',
      },
      {
        database: 'orders',
        name: 'public.b_gist',
        sql: 'REINDEX INDEX public.b_gist',
        detail: null,
        state: 'left',
      },
    ],
  }),
  advice({
    id: 'stats-views',
    title: 'Statistics views',
    fixedIn: '15.7',
    certainty: 'exact',
    by: 'action',
    state: 'failed',
    seen: ['ERROR: permission denied'],
  }),
  advice({
    id: 'publications',
    title: 'Publications of partitions',
    fixedIn: '15.2',
    state: 'skipped',
    seen: ['Needs GRANT pg_monitor TO upgrade.'],
  }),
  advice({ id: 'ltree', title: 'Indexes of ltree', fixedIn: '15.3', state: 'error', seen: ['timed out'] }),
];
