import { expect, it } from 'vitest';
import { renderPlain } from '../../src/report/plain.ts';
import { planRecord, refusedRecord, rolledBackRecord } from './fixture.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

it('tells a plan', () => {
  expect(renderPlain(planRecord())).toMatchInlineSnapshot(`
    "SUCCESS: orders can go from 15.17 to 15.18 in 2 steps.

      Target                 orders (debian)
      Result                 success (mode plan)
      Versions               15.17, wanted 15.18
      Database now           Running 15.17, as before.
      Downtime a client saw  none: nothing was changed
      Backup                 none was taken
      Checks                 none were made
      Time                   2026-11-20 18:01:30 UTC, took 1 min 1 s
      Run                    outside GitHub, on db1
      Plan                   b5bb9d8014a0 (minor-in-place, 2 steps)
    "
  `);
});

it('tells a refusal', () => {
  expect(renderPlain(refusedRecord())).toMatchInlineSnapshot(`
    "REFUSED: orders was not upgraded: 1 check blocks it.

      Target                 orders (debian)
      Result                 refused (mode upgrade)
      Versions               15.17, wanted 15.18
      Database now           Running 15.17, as before.
      Downtime a client saw  none: nothing was changed
      Backup                 none was taken
      Checks                 1 blocked, 1 unanswered, 1 warning, 1 passed
      Time                   2026-11-20 18:01:30 UTC, took 1 min 1 s
      Run                    octocat, commit 9fceb02d0ae5 of main
      Plan                   b5bb9d8014a0 (minor-in-place, 2 steps)

    BLOCKED: Prepared transactions [prepared-transactions]
      - batch-17 in orders, 3 days old
      To do: COMMIT PREPARED or ROLLBACK PREPARED it.

    UNANSWERED: WAL that replication slots hold back [slots]
      - permission denied for view pg_replication_slots
      To do: Grant pg_monitor to the role.

    WARNING: Transactions that the fast stop would end [long-transactions]
      - pid 4711, role reporting, open for 1 min 31 s
      To do: End it, or wait for it.

    Next:
      Roll back or commit the prepared transaction, then run this again:
        psql -h db1 -c "ROLLBACK PREPARED 'batch-17'" "postgres://ops@db1/orders"
    "
  `);
});

it('tells a rollback', () => {
  expect(renderPlain(rolledBackRecord())).toMatchInlineSnapshot(`
    "ROLLED BACK: orders is back on PostgreSQL 15.17: the server did not start with 15.18.

      Target                 orders (debian)
      Result                 rolled back (mode upgrade)
      Versions               15.17, wanted 15.18
      Database now           Running 15.17 and open to clients; storefront is still stopped.
      Downtime a client saw  8.42 s (420 of 1,210 attempts failed, one every 20 ms)
      Backup                 700.0 MiB in 47 files; proved by a restore into 15.18, 42 tables and 1,234,567 rows compared, 2 things not compared
      Checks                 1 warning, 3 passed
      Time                   2026-11-20 18:01:30 UTC, took 1 min 1 s
      Run                    octocat, commit 9fceb02d0ae5 of main
      Plan                   b5bb9d8014a0 (minor-in-place, 2 steps)

    WARNING: Transactions that the fast stop would end [long-transactions]
      - pid 4711, role reporting, open for 1 min 31 s
      To do: End it, or wait for it.

    Changed unexpectedly:
      - extension pg_tviews: 1.4 → nothing

    Switched off and not put back:
      - Application storefront (since 2026-11-20 18:02:08 UTC)

    Issues:
      - 2026-11-20 18:02:13 UTC server-did-not-start: The server did not start within 60 s.
        Hint: Install pg_tviews for 15.18 first.
        Resolution: Rolled back to 15.17.

    Next:
      Start the application:
        systemctl start storefront
    "
  `);
});

it.each(HOSTILE)('is inert with %j in every text', (text) => {
  const shown = renderPlain(hostileRecord(text));
  expect(shown).not.toMatch(/^\s*::/m);
  expect(shown).not.toContain('##[');
  expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(shown.split('\n').length).toBeLessThan(45);
});
