import { expect, it } from 'vitest';
import { renderPlain } from '../../src/report/plain.ts';
import { planRecord, refusedRecord, rolledBackRecord } from './fixture.ts';
import { cleanCheckRecord, richCheckRecord, upgradedRecord } from './fixture-check.ts';
import { HOSTILE, hostileRecord } from './hostile.ts';

it('tells a plan', () => {
  expect(renderPlain(planRecord())).toMatchInlineSnapshot(`
    "SUCCESS: orders can go from 15.17 to 15.18 in 2 steps.

      Target        orders (debian)
      Result        success (mode plan: nothing was changed)
      Versions      15.17, wanted 15.18
      Database now  Running 15.17, as before.
      Checks        none were made
      Time          2026-11-20 18:01:30 UTC, took 1 min 1 s
      Run           outside GitHub, on db1
      Plan          b5bb9d8014a0 (minor-in-place, 2 steps)

    The plan: 15.17 → 15.18 by minor-in-place
      Risk known-bad:
        - PostgreSQL 15.18, which is wanted, is known for this: a standby can hang.
        - 15.17 → 15.18 is a minor version, the next release.
      Expected downtime: 0.36 s (measured by the rehearsal of 2026-11-19 18:00:00 UTC)
      To know before:
        - Indexes of type brin may need REINDEX after 15.18: 0 found.
      1. Install the packages of 15.18 (must not be interrupted)
           runs: apt-get install --only-upgrade postgresql-15=15.18-1.pgdg12+1
           undo: Installs 15.17-1.pgdg12+1 again
           clients notice: nothing
           risk: The packages may not be there: then nothing was changed.
      2. Restart the server (must not be interrupted)
           runs: CHECKPOINT
           runs: pg_ctlcluster 15 main restart -m fast
           undo: nothing to undo
           clients notice: Connections are closed; new ones wait for about a second (the downtime)
           risk: The new server may refuse to start: then 15.17 is started again.
           risk: Queries are slower until caches are warm.
      Approve the job that waits for it, or start mode upgrade with plan-digest b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c. Any other plan is refused.
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

    BLOCKED: not so: No prepared transaction is left behind [prepared-transactions]
      - batch-17 in orders, 3 days old
      To do: COMMIT PREPARED or ROLLBACK PREPARED it.

    UNANSWERED: Replication slots are usable and hold back little WAL [slots]
      - permission denied for view pg_replication_slots
      To do: Grant pg_monitor to the role.

    WARNING: not so: No transaction has been open for long [long-transactions]
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

    Changed unexpectedly:
      - extension pg_tviews: 1.4 → nothing; its library is missing

    WARNING: not so: No transaction has been open for long [long-transactions]
      - pid 4711, role reporting, open for 1 min 31 s
      To do: End it, or wait for it.

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

it('tells a clean check in a few lines', () => {
  expect(renderPlain(cleanCheckRecord())).toMatchInlineSnapshot(`
    "SUCCESS: Ready: nothing blocks the upgrade to PostgreSQL 15.20. Nothing was changed.

      Target          orders (debian)
      Result          success (mode check: nothing was changed)
      Versions        15.1, wanted 15.20
      Database now    Running 15.1, as before.
      Checks          3 passed
      Time            2026-11-20 18:01:30 UTC, took 1 min 1 s
      Run             octocat, commit 9fceb02d0ae5 of main
      Release line    15.1 is 19 releases (4 y) behind 15.20; PostgreSQL 15 gets fixes until 2027-11-11, for 356 more days
      Security fixes  100 CVEs fixed, 41 with a score of 7 or more, highest 8.8
      Release notes   none of 18 applies
    "
  `);
});

it('tells what a check found: what blocks, then what warns', () => {
  const shown = renderPlain(richCheckRecord());
  expect(
    shown.slice(shown.indexOf('BLOCKED'), shown.indexOf('RELEASE NOTES: Detached')),
  ).toMatchInlineSnapshot(`
    "BLOCKED: not so: No prepared transaction is left behind [prepared-transactions]
      - batch-17 in orders, 3 days old
      To do: COMMIT PREPARED or ROLLBACK PREPARED it.

    UNANSWERED: Replication slots are usable and hold back little WAL [slots]
      - permission denied for view pg_replication_slots
      To do: Grant pg_monitor to the role.

    BLOCKED: your own SQL health/orders.sql:9 in orders, before the upgrade
      1,204 rows where there must be none
      1,204 rows, the first 2 are shown.
        id | customer | paid | note
        17 | null | t | moved from the old shop
        18 | null | t |

    FAILED: your own SQL health/orders.sql:21 in orders, before the upgrade
      relation "no_such_table" does not exist

    READ FIRST: the release notes of PostgreSQL 15.7
      Its fix of the statistics views is not applied to existing databases by an upgrade.
      https://www.postgresql.org/docs/release/15.7/

    WARNING: not so: No transaction has been open for long [long-transactions]
      - pid 4711, role reporting, open for 1 min 31 s
      To do: End it, or wait for it.

    RELEASE NOTES: Output plugins have to be allowed [output-plugin-allowlist], before the upgrade
      Exactly these: 1 object. A person does it.
      - wal2json
      To do: Add the plugins in use to output_plugins.
      https://www.postgresql.org/docs/release/15.20/

    RELEASE NOTES: BRIN indexes can miss rows with nulls [brin-null-handling], after the upgrade
      Candidates: 3 objects that may need it. The action does it.
      - public.events_at_brin in orders
      - public."Log_brin" in orders
      - public.invoices_day_brin in billing
      To do: Reindex the BRIN indexes over columns that may be null.
      https://www.postgresql.org/docs/release/15.5/

    "
  `);
});

it('tells alerts with the numbers', () => {
  const shown = renderPlain(upgradedRecord());
  expect(shown.slice(shown.indexOf('Alerts:'))).toMatchInlineSnapshot(`
    "Alerts:
      - SELECT * FROM orders WHERE customer = $1: 1.48 ms → 4.12 ms (+178 %); mean time is 2.8 times as long
      - cache hit ratio: 99.2 % → 91.1 % (-8.1 points); the cache is cold after the restart
    "
  `);
});

it.each(HOSTILE)('is inert with %j in every text', (text) => {
  const shown = renderPlain(hostileRecord(text));
  expect(shown).not.toMatch(/^\s*::/m);
  expect(shown).not.toContain('##[');
  expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(shown.split('\n').length).toBeLessThan(140);
});

it('keeps the caret of what a program printed below what it means', () => {
  const next = 'LINE 1: SELECT x\n               ^\nThen:\n  ls -l';
  expect(renderPlain({ ...planRecord(), next })).toMatch(
    /\nNext:\n {4}LINE 1: SELECT x\n {19}\^\n {2}Then:\n {4}ls -l\n$/,
  );
});
