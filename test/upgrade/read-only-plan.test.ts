/** Read-only mode and draining in a plan. */
import { describe, expect, it } from 'vitest';
import { plannedDrain } from '../../src/upgrade/drain-plan.ts';
import { plannedReadOnly, plannedReadWrite } from '../../src/upgrade/read-only-plan.ts';
import { alterSql } from '../../src/upgrade/read-only-settings.ts';
import { specWith } from '../spec/specs.ts';

const full = `read-only:
  databases: ['sh"op']
  roles: [app]
  verify: env:APP
  hook:
    enter: { url: "https://a.example/on?key=k" }
    leave: { method: DELETE, url: "https://a.example/off?key=k" }
`;

describe('a plan', () => {
  it('has nothing of it where the spec does not ask', () =>
    expect([plannedReadOnly, plannedReadWrite, plannedDrain].map((planned) => planned(specWith()))).toEqual([
      null,
      null,
      null,
    ]));

  it('says what is done, in its order, without the query of an address', () => {
    expect(plannedReadOnly(specWith(full))).toMatchObject({
      id: 'read-only',
      does: [
        'POST https://a.example/on',
        'ALTER DATABASE "sh""op" SET default_transaction_read_only = \'on\'',
        'ALTER ROLE "app" SET default_transaction_read_only = \'on\'',
        'pg_terminate_backend of their sessions; new ones are read-only',
        'a write in a new session by env:APP, which must fail with 25006',
      ],
      undo: 'writes are accepted again',
      breaks: 'writes are refused until the end',
      interruptible: true,
    });
    expect(plannedReadWrite(specWith(full))).toMatchObject({
      id: 'read-write',
      does: [
        'default_transaction_read_only as it was before, in the same places',
        'pg_terminate_backend of the sessions that began meanwhile: they would stay read-only',
        'DELETE https://a.example/off',
        'a look whether a new session is not read-only any more',
      ],
      breaks: null,
      interruptible: false,
    });
  });

  it('asks each database where there is no connection to verify by', () =>
    expect(plannedReadOnly(specWith('read-only: { databases: [shop] }'))?.does.at(-1)).toBe(
      'a write in a new session of each database, which must fail with 25006',
    ));

  it('says what becomes of open transactions', () => {
    expect(plannedDrain(specWith('drain: {}'))).toMatchObject({
      does: [
        'wait until at most 5 transactions of others are open, for 300 seconds',
        'afterwards end the upgrade: the version is not changed',
      ],
      breaks: null,
    });
    expect(plannedDrain(specWith('drain: { then: end, timeout: 9 }'))).toMatchObject({
      does: [expect.any(String), 'afterwards pg_terminate_backend of the sessions that are still in one'],
      breaks: 'sessions that are still in a transaction after 9 seconds are ended',
    });
  });
});

describe('a value that is put back', () => {
  it.each([
    [null, 'ALTER ROLE "a" RESET default_transaction_read_only'],
    ['FALSE', 'ALTER ROLE "a" SET default_transaction_read_only = \'FALSE\''],
    ["x'; DROP ROLE a; --", 'ALTER ROLE "a" SET default_transaction_read_only = \'off\''],
  ])('%j', (value, sql) => expect(alterSql({ kind: 'role', name: 'a' }, value)).toBe(sql));
});
