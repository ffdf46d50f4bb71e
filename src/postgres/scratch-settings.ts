/** The settings of a scratch server: fast, since it is thrown away, and nothing that acts by itself. Pure. */
import type { ScratchOptions } from './scratch.ts';

/** Speed instead of durability, and room for what a restore needs. Settings of the real server may replace these. */
export function comfortSettings(): Record<string, string> {
  return {
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    // What a copy may need besides its data; the check of the disk counts with it.
    max_wal_size: '512MB',
    maintenance_work_mem: '128MB',
    max_connections: '60',
    max_locks_per_transaction: '256',
  };
}

/**
 * What keeps the server from acting on anything; written last, so that no other setting wins over it.
 * @param socket folder of its socket, as the server sees it
 */
export function isolationSettings(
  options: Pick<ScratchOptions, 'preload'>,
  socket: string,
  major: number,
): Record<string, string> {
  return {
    listen_addresses: '',
    port: '5432',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    ssl: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    archive_mode: 'off',
    archive_command: '',
    // Its own setting only since 15 (release notes, "Server Configuration").
    ...(major >= 15 ? { archive_library: '' } : {}),
    restore_command: '',
    archive_cleanup_command: '',
    recovery_end_command: '',
    primary_conninfo: '',
    synchronous_standby_names: '',
    // No background worker of any extension, and none of parallel queries either: they take from the same number.
    max_worker_processes: '0',
    max_logical_replication_workers: '0',
    autovacuum: 'off',
    // Only a placeholder where pg_cron is not loaded.
    'cron.launch_active_jobs': 'off',
    ...(major >= 17 ? { event_triggers: 'off' } : {}),
    shared_preload_libraries: options.preload,
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'warning',
  };
}

/** Groups by the start of a name: logging, archiving, recovery, network, jobs. */
const leftOutGroups =
  /^(log_|archive_|recovery_|unix_socket|tcp_|ssl|krb_|gss_|oauth_|bonjour|syslog_|event_|cron\.|primary_|promote_|wal_receiver_|wal_sender_|wal_retrieve_|max_standby_|sync_replication_)/;

const leftOut: ReadonlySet<string> = new Set([
  // Network and logins.
  'listen_addresses',
  'port',
  'db_user_namespace',
  'pre_auth_delay',
  // Places of files and what is loaded from them.
  'data_directory',
  'config_file',
  'hba_file',
  'ident_file',
  'external_pid_file',
  'stats_temp_directory',
  'dynamic_library_path',
  'extension_control_path',
  'shared_preload_libraries',
  'session_preload_libraries',
  'local_preload_libraries',
  'temp_tablespaces',
  'default_tablespace',
  // Logging.
  'logging_collector',
  'cluster_name',
  // Archiving and replication.
  'restore_command',
  'trigger_file',
  'wal_level',
  'wal_log_hints',
  'max_wal_senders',
  'max_replication_slots',
  'max_active_replication_origins',
  'wal_keep_size',
  'max_slot_wal_keep_size',
  'idle_replication_slot_timeout',
  'synchronous_standby_names',
  'synchronized_standby_slots',
  'hot_standby',
  'hot_standby_feedback',
  'summarize_wal',
  'max_logical_replication_workers',
  'max_sync_workers_per_subscription',
  'max_parallel_apply_workers_per_subscription',
  // What acts by itself.
  'max_worker_processes',
  'autovacuum',
  // No settings: they bring other files in.
  'include',
  'include_dir',
  'include_if_exists',
  // It would refuse to write, and the restart is measured by a commit.
  'default_transaction_read_only',
]);

/**
 * Those settings of a real server that may be tried on a scratch server: everything that is not its isolation, its
 * network, a place of files, logging, archiving or replication. A measured restart has no comforts beside them: its
 * checkpoint would cost nothing.
 */
export function realSettings(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) => {
      const lower = name.toLowerCase();
      // Anything else could end its line and begin another setting.
      if (!/^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/.test(lower)) return false;
      return !leftOutGroups.test(lower) && !leftOut.has(lower);
    }),
  );
}

/**
 * Lines for postgresql.conf, one setting each. A backslash is an escape there, and a line cannot go on in the next one
 * (src/backend/utils/misc/guc-file.l).
 */
export function settingLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      const quoted = value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n');
      return `${name} = '${quoted}'\n`;
    })
    .join('');
}
