import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clientLogin, conninfo } from '../../src/postgres/passfile.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';

describe('clientLogin', () => {
  const settings: ConnectionSettings = {
    host: 'db1',
    port: 5433,
    user: 'a:b',
    password: 'p:\\w',
    database: 'orders',
    ssl: 'disable',
    sslRootCert: undefined,
  };

  it('keeps the password in a file that nobody else may read, and removes it', async () => {
    let file = '';
    {
      await using login = await clientLogin(settings);
      file = login.env.PGPASSFILE ?? '';
      expect(login.args).toEqual(['--host', 'db1', '--port', '5433', '--username', 'a:b', '--no-password']);
      expect(login.env).toEqual({
        PGAPPNAME: 'postgres-upgrade dump',
        PGCONNECT_TIMEOUT: '15',
        PGPASSFILE: file,
        PGSSLMODE: 'prefer',
      });
      expect(await readFile(file, 'utf8')).toBe('*:*:*:a\\:b:p\\:\\\\w\n');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
    }
    await expect(stat(dirname(file))).rejects.toThrow('ENOENT');
  });

  it('needs no file without a password, and hands on how to encrypt', async () => {
    await using login = await clientLogin({
      ...settings,
      password: undefined,
      ssl: 'verify-full',
      sslRootCert: '/etc/ca.crt',
    });
    expect(login.env).toEqual({
      PGAPPNAME: 'postgres-upgrade dump',
      PGCONNECT_TIMEOUT: '15',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/etc/ca.crt',
    });
  });
});

describe('conninfo', () => {
  it.each([
    ['orders', "dbname='orders'"],
    ['host=evil user=me', "dbname='host=evil user=me'"],
    ["it's", "dbname='it\\'s'"],
    ['a\\b', "dbname='a\\\\b'"],
  ])('%j is a name and nothing else', (name, text) => expect(conninfo(name)).toBe(text));
});
