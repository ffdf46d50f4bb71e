import { describe, expect, it } from 'vitest';
import {
  comfortSettings,
  isolationSettings,
  realSettings,
  settingLines,
} from '../../src/postgres/scratch-settings.ts';

describe('isolationSettings', () => {
  const of = (major: number): Record<string, string> =>
    isolationSettings({ preload: 'pg_stat_statements' }, '/tmp/s', major);

  it('lets nothing act by itself', () =>
    expect(of(15)).toEqual({
      listen_addresses: '',
      port: '5432',
      unix_socket_directories: '/tmp/s',
      unix_socket_permissions: '0700',
      ssl: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      archive_mode: 'off',
      archive_command: '',
      archive_library: '',
      restore_command: '',
      archive_cleanup_command: '',
      recovery_end_command: '',
      primary_conninfo: '',
      synchronous_standby_names: '',
      max_worker_processes: '0',
      max_logical_replication_workers: '0',
      autovacuum: 'off',
      'cron.launch_active_jobs': 'off',
      shared_preload_libraries: 'pg_stat_statements',
      logging_collector: 'off',
      log_destination: 'stderr',
      log_min_messages: 'warning',
    }));

  it('names only what the version knows', () => {
    expect('archive_library' in of(14)).toBe(false);
    expect('event_triggers' in of(16)).toBe(false);
    expect(of(17).event_triggers).toBe('off');
  });
});

describe('realSettings', () => {
  it('keeps what the real server is made of', () => {
    const real = {
      shared_buffers: '4GB',
      max_connections: '500',
      fsync: 'on',
      'auto_explain.log_min_duration': '5s',
      autovacuum_max_workers: '7',
      TimeZone: 'Europe/Berlin',
      effective_cache_size: '12GB',
      wal_buffers: '16MB',
    };
    expect(realSettings(real)).toEqual(real);
  });

  it('never holds anything of the isolation', () => {
    const isolation = isolationSettings({ preload: 'x' }, '/tmp/s', 18);
    expect(realSettings(isolation)).toEqual({});
    const shouted = Object.fromEntries(
      Object.entries(isolation).map(([name, value]) => [name.toUpperCase(), value]),
    );
    expect(realSettings(shouted)).toEqual({});
  });

  it.each([
    'data_directory',
    'hba_file',
    'ident_file',
    'external_pid_file',
    'archive_timeout',
    'recovery_target_time',
    'log_directory',
    'log_statement',
    'ssl_cert_file',
    'syslog_ident',
    'cluster_name',
    'primary_slot_name',
    'hot_standby',
    'max_replication_slots',
    'tcp_keepalives_idle',
    'cron.database_name',
    'session_preload_libraries',
    'dynamic_library_path',
    'temp_tablespaces',
    'db_user_namespace',
    'default_transaction_read_only',
  ])('leaves out %s', (name) => expect(realSettings({ [name]: 'x' })).toEqual({}));

  it.each(["a = 'b'\narchive_mode", 'include', 'include_if_exists', 'a b', '', '1a'])(
    'leaves out %j, which is no setting',
    (name) => expect(realSettings({ [name]: 'x' })).toEqual({}),
  );
});

describe('settingLines', () => {
  it('quotes every value', () =>
    expect(settingLines({ a: "it's", 'b.c': 'x\\y', d: "1'\narchive_mode = on" })).toBe(
      "a = 'it''s'\nb.c = 'x\\\\y'\nd = '1''\\narchive_mode = on'\n",
    ));

  it('has a line for each of the comforts', () =>
    expect(settingLines(comfortSettings()).split('\n')).toContain("fsync = 'off'"));
});
