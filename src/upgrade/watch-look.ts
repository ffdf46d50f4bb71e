/** What one look at the observed target asks, each by a client of its own. */
import { classify, isGrave } from '../health/log-lines.ts';
import { logSettingsSql } from '../health/sql-cluster.ts';
import { connect } from '../postgres/connection.ts';
import { formatVersion } from '../postgres/version.ts';
import { type AskedApplication, askApplication, type HealthAnswer } from './application-health.ts';
import { type ExtensionErrors, errorsOf } from './extension-errors.ts';
import type { Run } from './target.ts';

/** New grave lines of the server's log. */
export interface LogLook {
  source: string;
  grave: string[];
}

/** The questions; each throws where it cannot be answered. */
export interface Looks {
  /** Opens a new connection, asks and closes it. @returns the version that serves */
  connect(): Promise<string>;
  application(application: AskedApplication): Promise<HealthAnswer>;
  errors(): Promise<ExtensionErrors[]>;
  /** What is new since the look before; null where the log cannot be read. */
  log(): Promise<LogLook | null>;
}

/** Bytes of the log that one look reads at most. */
const logAtMost = 256 * 1024;

/** The questions, asked of the target. */
export function looksAt(run: Run, signal: AbortSignal): Looks {
  let prefix: string | null = null;
  let read: number | null = null;
  return {
    async connect() {
      await using connection = await connect(run.settings, {
        name: 'postgres-upgrade watch',
        timeout: 5000,
        statementTimeout: 5000,
        pinned: true,
      });
      const [row] = await connection.query<{ version: number }>(
        "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version",
      );
      prefix ??= (await connection.query<{ prefix: string }>(logSettingsSql))[0]?.prefix ?? '';
      const version = row?.version ?? 0;
      return formatVersion({ major: Math.floor(version / 10_000), minor: version % 10_000 });
    },
    application: (application) => askApplication(application, run.environment, signal),
    errors: () => errorsOf(run),
    async log() {
      const log = (await run.environment.serverLog?.(logAtMost)) ?? null;
      if (!log) return null;
      // The first look only learns where the log ends: what stands before it was judged by the validation.
      const fresh = read === null ? 0 : log.size - read;
      read = log.size;
      const bytes = Buffer.from(log.text);
      // A log that became shorter was rotated: all of it is new.
      const text = fresh < 0 ? bytes : bytes.subarray(Math.max(0, bytes.length - fresh));
      return {
        source: log.source,
        grave: fresh === 0 ? [] : graveLines(text.toString('utf8'), prefix ?? ''),
      };
    },
  };
}

/** PANIC, and the end of a session by what tells of damage. Pure. */
export function graveLines(text: string, prefix: string): string[] {
  return classify('', text, text.length, { kind: 'stderr', prefix })
    .classes.filter((line) => line.severity === 'PANIC' || (line.severity === 'FATAL' && isGrave(line)))
    .map(({ severity, message }) => `${severity}: ${message}`);
}
