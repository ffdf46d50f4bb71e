import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quote, quoteAll } from '../../src/process/quote.ts';
import { shellAnswer, shellText } from '../../src/process/shell-text.ts';
import { connectError } from '../../src/process/ssh-errors.ts';
import { checkHost, commandThrough, masterCommand, portThrough } from '../../src/process/ssh-options.ts';

const nasty = [
  '',
  'a b',
  "it's",
  "'",
  "''\\'",
  '$(touch /nope)',
  '`id`',
  '$HOME $PATH',
  'one\ntwo\n',
  '-rf',
  '--',
  '*',
  '!!',
  '\\',
  '"; exit 9; "',
  'Zürich 😀',
  '\u0001\u007f',
  "' ) ; echo out; ( '",
];

describe('quote', () => {
  it.each([['sh'], ['bash']])('gives %s each word as it is', (shell) => {
    const said = execFileSync(shell, ['-c', `printf '%s\\0' ${quoteAll(nasty)}`]).toString();
    expect(said.split('\0').slice(0, -1)).toEqual(nasty);
  });

  it('refuses what no program can be given', () =>
    expect(() => quote('a\0b')).toThrow('a word with a NUL byte cannot be given to a program'));
});

describe('shellText', () => {
  it('refuses a program whose name is an option', () =>
    expect(() => shellText('m', { argv: ['-x'] })).toThrow('-x is no name of a program'));
});

describe('shellAnswer', () => {
  const begun = { stdout: 'noise\nm1\nout', stderr: 'banner\nm1\nerr' };
  it.each([
    ['an end', { code: 0, stdout: begun.stdout, stderr: `${begun.stderr}m1 255\n` }, 'ended', 255],
    [
      'an end, and a code of ssh',
      { code: 255, stdout: begun.stdout, stderr: `${begun.stderr}m1 7\n` },
      'ended',
      7,
    ],
    ['a script that no shell reads', { code: 2, ...begun }, 'ended', 2],
  ])('with %s', (_, finished, state, code) =>
    expect(shellAnswer('m1', finished)).toEqual({ state, code, stdout: 'out', stderr: 'err' }),
  );

  it('tells a cut answer from one that never began', () => {
    expect(shellAnswer('m1', { code: 255, ...begun })).toEqual({ state: 'cut', stderr: 'err' });
    expect(shellAnswer('m1', { code: 1, stdout: '', stderr: 'sudo: no' })).toEqual({
      state: 'refused',
      code: 1,
      said: '\nsudo: no',
    });
    expect(shellAnswer('m1', { code: 0, stdout: 'm1\n', stderr: 'm1\nm1 missing\n' })).toEqual({
      state: 'missing',
    });
  });
});

describe('ssh', () => {
  const target = {
    host: 'deploy@db1',
    port: 2222,
    keyFile: '/proc/1/fd/20',
    knownHostsFile: '/t/known_hosts',
  };

  it('is told everything that it must not decide for itself', () => {
    const argv = masterCommand(target, '/t/c1', 'cat');
    expect(argv.slice(-7)).toEqual(['-i', '/proc/1/fd/20', '-p', '2222', '--', 'deploy@db1', 'cat']);
    for (const option of [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      'PasswordAuthentication=no',
      'KbdInteractiveAuthentication=no',
      'NumberOfPasswordPrompts=0',
      'ForwardAgent=no',
      'ClearAllForwardings=yes',
      'UserKnownHostsFile=/t/known_hosts',
      'GlobalKnownHostsFile=/dev/null',
      'IdentitiesOnly=yes',
      'ConnectTimeout=10',
      'ServerAliveInterval=5',
      'ServerAliveCountMax=3',
    ]) {
      expect(argv[argv.indexOf(option) - 1], option).toBe('-o');
    }
  });

  it("leaves the user's own files to the user", () => {
    const argv = masterCommand(
      { ...target, keyFile: null, knownHostsFile: null, port: undefined },
      '/t/c1',
      'cat',
    );
    expect(argv.join(' ')).not.toMatch(/KnownHostsFile|Identit|-i |-p /);
    expect(argv).toContain('StrictHostKeyChecking=yes');
  });

  it('goes through the connection or not at all', () => {
    expect(commandThrough('/t/c1', 'deploy@db1', 'id')).toEqual(
      expect.arrayContaining(['ControlPath=/t/c1', 'ControlMaster=no', 'ProxyCommand=false']),
    );
    expect(portThrough('/t/c1', 'db1', { host: '::1', port: 5432 }).slice(-4)).toEqual([
      '-W',
      '[::1]:5432',
      '--',
      'db1',
    ]);
  });

  it.each(['-oProxyCommand=x', '', 'a b', 'deploy@', 'x@-h', 'ssh://x', 'a;id', '$(id)', '@h'])(
    'takes no host %j',
    (host) => expect(() => checkHost(host)).toThrow(expect.objectContaining({ code: 'ssh-connect' })),
  );
  it.each(['db1', 'deploy@db1.example.com', '10.0.0.1', 'a_b@h', 'root@fe80::1%eth0'])(
    'takes the host %s',
    checkHost,
  );

  const place = { host: 'deploy@db1', port: 2222, ownKey: true, ownKnownHosts: true };
  it.each([
    [
      'No ED25519 host key is known for db1 and you have requested strict checking.\nHost key verification failed.',
      'ssh-host-key',
      /is not known/,
    ],
    [
      '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nSHA256:abc+/9.\nHost key verification failed.',
      'ssh-host-key',
      /another host key than the known one \(it sends SHA256:abc\+\/9\)/,
    ],
    ['deploy@db1: Permission denied (publickey).', 'ssh-login', /refuses the login/],
    [
      'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures',
      'ssh-login',
      /refuses the login/,
    ],
    ['ssh: connect to host db1 port 2222: Connection refused', 'ssh-connect', /cannot be reached/],
    ['', 'ssh-connect', /cannot be reached/],
  ])('says of %j: %s', (said, code, message) => {
    const error = connectError(said, place);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    if (code === 'ssh-host-key') {
      expect(error.hint).toContain('ssh-keyscan -p 2222 db1');
      expect(error.hint).toContain('ssh-keygen -lf');
    }
  });

  it('does not show by which way the key is read', () =>
    expect(connectError('Load key "/proc/12/fd/20": error in libcrypto', place).hint).toMatch(
      /^Load key the key:/,
    ));
});
