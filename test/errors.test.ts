import { describe, expect, it } from 'vitest';
import { Cancelled, errorsOf, explanation, messageOf, UpgradeError, UpgradeErrors } from '../src/errors.ts';

describe('messageOf', () => {
  const reason = (message: string, code?: string): Error => Object.assign(new Error(message), { code });

  it.each([
    [new Error('why'), 'why'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [new Error('why', { cause: new Error('deeper') }), 'why'],
    [
      new TypeError('fetch failed', { cause: reason('connect ECONNREFUSED') }),
      'fetch failed (connect ECONNREFUSED)',
    ],
    [new TypeError('fetch failed', { cause: reason('', 'ECONNREFUSED') }), 'fetch failed (ECONNREFUSED)'],
    [new TypeError('fetch failed', { cause: reason('') }), 'fetch failed (no reason given)'],
    [new TypeError('fetch failed'), 'fetch failed'],
  ])('of %s', (thrown, message) => expect(messageOf(thrown)).toBe(message));
});

describe('explanation', () => {
  it.each([
    [{}, 'It failed.'],
    [{ hint: 'Mend it.' }, 'It failed.\nMend it.'],
    [{ hint: '', docs: 'backup.md#not-proved' }, 'It failed.\nMore: docs/backup.md#not-proved'],
  ])('with %j', (options, text) =>
    expect(explanation(new UpgradeError('x', 'It failed.', options))).toBe(text),
  );
});

describe('errorsOf', () => {
  const one = new UpgradeError('one', 'First.');
  const two = new UpgradeError('two', 'Second.');
  const query = (code: string, more: object = {}): Error =>
    Object.assign(new Error('permission denied for table x'), { code, severity: 'ERROR', ...more });
  const told = (thrown: unknown): unknown[] =>
    errorsOf(thrown, 'inspect').map(({ code, message, hint, phase }) => [code, message, hint, phase]);

  it('leaves our own errors as they are', () => {
    expect(errorsOf(one)).toEqual([one]);
    expect(errorsOf(new UpgradeErrors([one, two]))).toEqual([one, two]);
    expect(new UpgradeErrors([one, two]).message).toBe('First.\nSecond.');
  });

  it('takes an abort for a cancel', () => {
    const [error] = errorsOf(AbortSignal.abort().reason, 'backup');
    expect(error).toBeInstanceOf(Cancelled);
    expect(error).toMatchObject({ code: 'cancelled', phase: 'backup' });
  });

  it('names what a server answered', () => {
    expect(told(query('42501'))).toEqual([
      [
        'query-refused',
        'PostgreSQL refused a query: permission denied for table x.',
        "The connection's user lacks a right: use a superuser. SQLSTATE 42501.",
        'inspect',
      ],
    ]);
    expect(told(query('22012', { hint: 'Do not.' }))).toEqual([
      [
        'query-refused',
        'PostgreSQL refused a query: permission denied for table x.',
        'Do not. SQLSTATE 22012.',
        'inspect',
      ],
    ]);
  });

  it.each([
    query('57P01'),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    new Error('Connection terminated unexpectedly'),
  ])('names a lost connection: %s', (thrown) => {
    expect(told(thrown)).toEqual([
      [
        'connection-lost',
        `The connection to the server was lost: ${thrown.message}.`,
        'Something ended the session: the server stopped, or somebody closed it. Look at the server log, then run again.',
        'inspect',
      ],
    ]);
  });

  it.each([new TypeError('x is not a function'), 'text', Object.assign(new Error('no'), { code: 'ENOENT' })])(
    'takes anything else for a fault of the action: %s',
    (thrown) => {
      expect(told(thrown)).toEqual([
        [
          'internal',
          messageOf(thrown),
          'This is a fault of the action itself: please report it with the lines above.',
          'inspect',
        ],
      ]);
      expect(errorsOf(thrown)[0]?.cause).toBe(thrown);
    },
  );
});
