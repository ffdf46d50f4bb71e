/** Refusing writes for the time of the change, as the plan shows it. Pure. */
import type { PlannedStep } from '../report/record.ts';
import type { ReadOnlySpec } from '../spec/read-only-schema.ts';
import type { TargetSpec } from '../spec/schema.ts';
import { shownCall } from './read-only-hook.ts';
import { alterSql, type Holder } from './read-only-settings.ts';

function holders({ databases, roles }: ReadOnlySpec): Holder[] {
  return [
    ...databases.map((name) => ({ kind: 'database', name }) as const),
    ...roles.map((name) => ({ kind: 'role', name }) as const),
  ];
}

/** Null where the spec does not ask for it. */
export function plannedReadOnly(spec: TargetSpec): PlannedStep | null {
  const asked = spec['read-only'];
  if (asked === undefined) return null;
  const held = holders(asked);
  return {
    id: 'read-only',
    title: 'Refuse writes',
    does: [
      ...(asked.hook ? [shownCall(asked.hook.enter)] : []),
      ...held.map((each) => alterSql(each, 'on')),
      ...(held.length > 0 ? ['pg_terminate_backend of their sessions; new ones are read-only'] : []),
      asked.verify === undefined
        ? 'a write in a new session of each database, which must fail with 25006'
        : `a write in a new session by ${asked.verify}, which must fail with 25006`,
    ],
    undo: 'writes are accepted again',
    breaks: 'writes are refused until the end',
    risks: [
      ...(held.length > 0
        ? [
            'Sessions are ended: applications that do not connect again stand still.',
            'A session can still set default_transaction_read_only itself: who wants to write, can.',
          ]
        : []),
      'Where a write is not refused, the upgrade ends here, and what was switched off is put back.',
    ],
    interruptible: true,
  };
}

/** Null where the spec does not ask for it. */
export function plannedReadWrite(spec: TargetSpec): PlannedStep | null {
  const asked = spec['read-only'];
  if (asked === undefined) return null;
  const held = holders(asked);
  return {
    id: 'read-write',
    title: 'Accept writes again',
    does: [
      ...(held.length > 0
        ? [
            'default_transaction_read_only as it was before, in the same places',
            'pg_terminate_backend of the sessions that began meanwhile: they would stay read-only',
          ]
        : []),
      ...(asked.hook ? [shownCall(asked.hook.leave)] : []),
      'a look whether a new session is not read-only any more',
    ],
    undo: null,
    breaks: null,
    risks: ['Sessions that read meanwhile are ended once more.'],
    interruptible: false,
  };
}
