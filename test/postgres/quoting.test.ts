import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quoteIdent, quoteLiteral } from '../../src/postgres/connection.ts';
import { clientLogin } from '../../src/postgres/passfile.ts';
import { quantiles } from '../../src/postgres/probe.ts';
import type { ConnectionSettings } from '../../src/postgres/settings.ts';

describe('quoteIdent', () => {
  it.each([
    ['orders', '"orders"'],
    ['Order Lines', '"Order Lines"'],
    ['a"b""', '"a""b"""""'],
    ['x"; DROP TABLE y; --', '"x""; DROP TABLE y; --"'],
    ['', '""'],
  ])('%j', (name, quoted) => expect(quoteIdent(name)).toBe(quoted));
});

describe('quoteLiteral', () => {
  it.each([
    ['plain', "'plain'"],
    ["it's", "'it''s'"],
    ['C:\\data', " E'C:\\\\data'"],
    ["\\'", " E'\\\\'''"],
    ['', "''"],
  ])('%j', (value, quoted) => expect(quoteLiteral(value)).toBe(quoted));
});

describe('quantiles', () => {
  it.each([
    [[], { transactions: 0, medianMs: 0, p95Ms: 0 }],
    [[1.23456], { transactions: 1, medianMs: 1.235, p95Ms: 1.235 }],
    [[3, 1, 2], { transactions: 3, medianMs: 2, p95Ms: 2 }],
    [[10, 9, 100], { transactions: 3, medianMs: 10, p95Ms: 10 }],
    [Array.from({ length: 101 }, (_, index) => 100 - index), { transactions: 101, medianMs: 50, p95Ms: 95 }],
  ])('of %j', (samples, expected) => {
    const before = [...samples];
    expect(quantiles(samples)).toEqual(expected);
    expect(samples).toEqual(before);
  });
});

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
