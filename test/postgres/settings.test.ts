import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/postgres/connection.ts';
import {
  type ConnectionSettings,
  describe as inWords,
  readConnectionUrl,
} from '../../src/postgres/settings.ts';

const plain: ConnectionSettings = {
  host: 'db1',
  port: 5432,
  user: 'ops',
  password: 'hunter2',
  database: 'orders',
  ssl: 'disable',
  sslRootCert: undefined,
};

function read(url: string): ConnectionSettings {
  return readConnectionUrl(url, 'env:URL');
}

describe('readConnectionUrl', () => {
  it.each<[string, Partial<ConnectionSettings>]>([
    ['postgresql://ops:hunter2@db1/orders', {}],
    ['postgres://ops:hunter2@db1:5433/orders', { port: 5433 }],
    ['postgresql://ops:p%40ss%2F%3A%25@db1/orders', { password: 'p@ss/:%' }],
    ['postgresql://ops:hunter 2@db1/orders', { password: 'hunter 2' }],
    ['postgresql://ops@db1/orders', { password: undefined }],
    ['postgresql://ops:hunter2@db1', { database: 'ops' }],
    ['postgresql://db1', { user: 'postgres', password: undefined, database: 'postgres' }],
    ['postgresql://ops:hunter2@db1/two%20words', { database: 'two words' }],
    ['postgresql://ops:hunter2@[::1]:5433/orders', { host: '::1', port: 5433 }],
    ['postgresql://ops:hunter2@db1/orders?port=6000', { port: 6000 }],
    ['postgresql://ops:hunter2@db1/orders?application_name=a%26b', {}],
  ])('%s', (url, changes) => expect(read(url)).toEqual({ ...plain, ...changes }));

  it.each<[string, Partial<ConnectionSettings>]>([
    ['postgresql://ops:hunter2@%2Fvar%2Frun%2Fpostgresql/orders', {}],
    ['postgresql://ops:hunter2@/orders?host=/var/run/postgresql', {}],
    ['postgresql:///orders?host=/var/run/postgresql&user=ops', { password: undefined }],
    ['postgresql://?host=/var/run/postgresql&user=ops', { password: undefined, database: 'ops' }],
  ])('%s leads to the socket', (url, changes) =>
    expect(read(url)).toEqual({ ...plain, host: '/var/run/postgresql', ...changes }),
  );

  it.each([
    ['', 'disable'],
    ['?sslmode=disable', 'disable'],
    ['?sslmode=prefer', 'disable'],
    ['?sslmode=no-verify', 'require'],
    ['?sslmode=require', 'require'],
    ['?sslmode=verify-ca', 'verify-full'],
    ['?sslmode=verify-full', 'verify-full'],
  ])('with %s has ssl %s', (query, ssl) =>
    expect(read(`postgresql://ops:hunter2@db1/orders${query}`).ssl).toBe(ssl),
  );

  it('names the certificate without opening it', () => {
    expect(
      read('postgresql://ops:hunter2@db1/orders?sslmode=verify-full&sslrootcert=/no/such%20file'),
    ).toEqual({
      ...plain,
      ssl: 'verify-full',
      sslRootCert: '/no/such file',
    });
  });

  it.each([
    ['', 'is not a PostgreSQL URL'],
    ['ops:hunter2@db1/orders', 'is not a PostgreSQL URL'],
    ['mysql://ops:hunter2@db1/orders', 'is not a PostgreSQL URL'],
    ['postgresql://ops:hunter2@db1:99999/orders', 'cannot be read as a URL'],
    ['postgresql://ops:hunter2@db1:port/orders', 'cannot be read as a URL'],
    ['postgresql://ops:hun/ter2@db1/orders', 'cannot be read as a URL'],
    ['postgresql://ops:hunter2@db1/orders?port=0', 'names no usable port'],
    ['postgresql://ops:hunter2@db1/orders?port=x', 'names no usable port'],
    [
      'postgresql://ops:hunter2@db1/orders?sslmode=requre',
      'has an sslmode that is none of disable, allow, prefer, no-verify, require, verify-ca, verify-full',
    ],
  ])('refuses "%s" and never quotes it', (url, what) => {
    let caught: unknown;
    try {
      read(url);
    } catch (cause) {
      caught = cause;
    }
    expect(caught).toMatchObject({
      code: 'connection-url',
      phase: 'connect',
      message: `The connection in env:URL ${what}.`,
      hint: 'Write it as postgresql://user:password@host:5432/database.',
    });
    expect(inspect(caught)).not.toMatch(/hun.?ter2/);
  });
});

describe('describe', () => {
  it('names everything but the password', () => {
    expect(inWords(plain)).toBe('ops@db1:5432/orders');
  });
});

describe('connect', () => {
  it('says that the certificate cannot be read', async () => {
    await expect(
      connect({ ...plain, ssl: 'verify-full', sslRootCert: '/no/such/ca.crt' }),
    ).rejects.toMatchObject({
      code: 'ssl-root-cert',
      message:
        "The certificate /no/such/ca.crt cannot be read: ENOENT: no such file or directory, open '/no/such/ca.crt'.",
    });
  });

  it('says that nothing answers, without the password', async () => {
    await expect(connect({ ...plain, host: '/no/such/folder' })).rejects.toMatchObject({
      code: 'server-down',
      phase: 'connect',
      message: 'Nothing answers at ops@/no/such/folder:5432/orders (ENOENT).',
    });
  });
});
