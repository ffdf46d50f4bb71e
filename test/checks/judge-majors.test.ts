/** What the checks of an upgrade to another major make of rows, by exact value. */
import { describe, expect, test } from 'vitest';
import { hbaAuthMethods, identErrors, md5Passwords } from '../../src/checks/authentication.ts';
import { checksumsOff } from '../../src/checks/control.ts';
import { searchPathFragileFunctions, systemViewDependents } from '../../src/checks/dependents.ts';
import { inetBtreeGist, notNullInheritance, regTypes } from '../../src/checks/incompatible.ts';
import { cLibraries, untrustedPlpython2 } from '../../src/checks/libraries.ts';
import { noReplicaIdentity, subscriptions } from '../../src/checks/logical.ts';
import { databaseEncodings, oddNames, scsOff } from '../../src/checks/names.ts';
import { customSettings, roleDbSettings } from '../../src/checks/setting-names.ts';
import { newestKnownMajor, newNameOf, settingNames } from '../../src/postgres/setting-names.ts';
import { between, judge, major, passed } from './judging.ts';

describe('names of settings', () => {
  test('the table: what came, what went, how far it reaches', () => {
    expect([settingNames(12), settingNames(newestKnownMajor + 1)]).toEqual([null, null]);
    expect([13, 14, 15, 16, 17, 18].map((each) => settingNames(each)?.size)).toEqual([
      346, 362, 369, 378, 394, 415,
    ]);
    expect([settingNames(15)?.has('lc_ctype'), settingNames(16)?.has('lc_ctype')]).toEqual([true, false]);
    expect(settingNames(13)?.has('datestyle')).toBe(true);
    expect([newNameOf('SSL_ecdh_curve', 18), newNameOf('ssl_ecdh_curve', 17)]).toEqual(['ssl_groups', null]);
  });

  test('custom-settings: known, renamed, removed, of a build of its own', () => {
    const row = (name: string, sourcefile: string | null = '/c') => ({ name, sourcefile, sourceline: 3 });
    expect(judge(customSettings, [row('work_mem'), row('DateStyle')], major)).toEqual(passed);
    expect(
      judge(
        customSettings,
        [row('ssl_ecdh_curve'), row('vendor_mode'), row('force_parallel_mode', null)],
        major,
      ),
    ).toEqual([
      'blocked',
      [
        'force_parallel_mode: 18 does not know it',
        'vendor_mode (/c, line 3): no setting of PostgreSQL itself',
        'ssl_ecdh_curve (/c, line 3): called ssl_groups in 18',
      ],
    ]);
    expect(judge(customSettings, [row('work_mem')], between(18, 21))).toEqual([
      'skipped',
      ['the settings of PostgreSQL 21 are not known here, only those up to 19'],
    ]);
  });

  test('role-db-settings', () => {
    const row = (datname: string | null, rolname: string | null) => ({
      name: 'force_parallel_mode',
      datname,
      rolname,
    });
    expect(judge(roleDbSettings, [row('app', null), row(null, 'ann'), row(null, null)], major)).toEqual([
      'blocked',
      [
        'force_parallel_mode in database app: 18 does not know it',
        'force_parallel_mode of role ann: 18 does not know it',
        'force_parallel_mode: 18 does not know it',
      ],
    ]);
  });
});

describe('authentication', () => {
  test('hba-auth-methods', () => {
    const row = (method: string, lines = '1') => ({ file: '/h', method, line: 9, lines });
    const all = [row('radius'), row('md5', '3'), row('clientcert')];
    expect(judge(hbaAuthMethods, all, between(14, 17))).toEqual(passed);
    expect(judge(hbaAuthMethods, all, between(13, 17))).toEqual([
      'warning',
      ['clientcert: 14 takes only verify-ca and verify-full, not 1, 0 or no-verify (/h, line 9)'],
    ]);
    expect(judge(hbaAuthMethods, all, between(17, 19))).toEqual([
      'blocked',
      ['radius: removed in 19 (/h, line 9)', 'md5: on its way out since 18 (/h, line 9 and 2 more)'],
    ]);
  });

  test('ident-errors and md5-passwords', () => {
    expect(judge(identErrors, [])).toEqual(passed);
    expect(judge(identErrors, [{ error: 'bad', file: '/i', line: 2, total: '1' }])).toEqual([
      'blocked',
      ['bad (/i, line 2)'],
    ]);
    expect(judge(md5Passwords, [], major)).toEqual(passed);
    expect(judge(md5Passwords, [{ role: 'ann', total: '30' }], major)).toEqual([
      'warning',
      ['ann', 'and 29 more'],
    ]);
    expect(judge(md5Passwords, [{ role: 'ann', total: '1' }], between(13, 16))[0]).toBe('info');
  });
});

test('checksums-off', () => {
  expect(judge(checksumsOff, [{ checksums: 'on' }], major)).toEqual(passed);
  expect(judge(checksumsOff, [{ checksums: 'off' }], between(13, 17))).toEqual([
    'warning',
    ['data checksums are off: the server cannot notice damaged pages'],
  ]);
  expect(() => judge(checksumsOff, [], major)).toThrow('checksums');
});

test('database-encodings, odd-names, scs-off', () => {
  const database = [{ datname: 'app', total: '1' }];
  expect(judge(databaseEncodings, database, major)).toEqual(passed);
  expect(judge(databaseEncodings, database, between(18, 19))[0]).toBe('blocked');
  const name = [{ kind: 'role', name: 'two\nlines', total: '1' }];
  expect(judge(oddNames, name, major)).toEqual(['warning', ['role two\nlines']]);
  expect(judge(oddNames, name, between(18, 19))[0]).toBe('blocked');
  expect(judge(scsOff, [], major)).toEqual(passed);
  expect(judge(scsOff, [{ source: 'configuration file' }], major)).toEqual([
    'warning',
    ['standard_conforming_strings is off'],
  ]);
});

test('c-libraries and untrusted-plpython2', () => {
  const row = (extension: string | null) => ({ database: 'app', library: '$libdir/x', extension });
  expect(judge(cLibraries, [row('x')], { ...major, wantedExtensions: new Map() })).toEqual(passed);
  expect(judge(cLibraries, [row('x'), row(null)], major)).toEqual([
    'warning',
    [
      'app: $libdir/x (extension x): must exist for the new version',
      'app: $libdir/x: must exist for the new version',
    ],
  ]);
  const language = [{ database: 'app', name: 'plpythonu' }];
  expect(judge(untrustedPlpython2, language, between(13, 14))).toEqual(passed);
  expect(judge(untrustedPlpython2, language, between(14, 15))[0]).toBe('blocked');
});

test('subscriptions and no-replica-identity', () => {
  const row = (enabled: boolean, unready: string) => ({ database: 'app', name: 's', enabled, unready });
  expect(judge(subscriptions, [], major)).toEqual(passed);
  expect(judge(subscriptions, [row(true, '2'), row(false, '0')], major)).toEqual([
    'blocked',
    [
      'app: s: 2 tables not synchronised yet',
      'app: s (disabled): comes over disabled; only pg_upgrade from 17 on keeps its position',
    ],
  ]);
  expect(judge(noReplicaIdentity, [{ database: 'app', name: 't', total: '1' }], major)[0]).toBe('info');
});

describe('objects', () => {
  test('reg-types: aclitem only where 16 is crossed, a dump carries all', () => {
    const row = (acl: boolean) => ({ database: 'app', name: 't', column: 'c', acl, type: 'x', total: '30' });
    expect(judge(regTypes, [row(true)], between(13, 15))).toEqual(passed);
    expect(judge(regTypes, [row(true)], between(15, 16))).toEqual([
      'blocked',
      ['app: t.c: x', 'and 29 more'],
    ]);
    expect(judge(regTypes, [row(false), row(true)], between(16, 18))).toEqual(['blocked', ['app: t.c: x']]);
    expect(judge(regTypes, [row(false)], { ...major, route: 'dump-restore' })[0]).toBe('info');
  });

  test('not-null-inheritance and inet-btree-gist', () => {
    const row = { database: 'app', child: 'c', column: 'x', parent: 'p', total: '1' };
    expect(judge(notNullInheritance, [row], between(13, 17))[0]).toBe('warning');
    expect(judge(notNullInheritance, [row], major)).toEqual(['blocked', ['app: c.x: NOT NULL in p only']]);
    const index = [{ database: 'app', name: 'i', total: '1' }];
    expect(judge(inetBtreeGist, index, major)).toEqual(passed);
    expect(judge(inetBtreeGist, index, between(18, 19))).toEqual(['blocked', ['app: i']]);
  });

  test('dependents', () => {
    expect(judge(systemViewDependents, [], major)).toEqual(passed);
    expect(
      judge(systemViewDependents, [{ database: 'a', name: 'v', used: 'pg_locks', total: '1' }], major),
    ).toEqual(['warning', ['a: v uses pg_locks']]);
    expect(judge(searchPathFragileFunctions, [{ database: 'a', name: 'f()', total: '1' }], major)[0]).toBe(
      'warning',
    );
  });
});
