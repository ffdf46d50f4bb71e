import { describe, expect, it } from 'vitest';
import { createSecrets, hideIn } from '../../src/process/secrets.ts';

describe('createSecrets', () => {
  it('hides every place of a value, as it is and as it stands in a URL', () => {
    const secrets = createSecrets();
    secrets.add('p@ss/w');
    expect(secrets.hide('p@ss/w, p@ss/w and p%40ss%2Fw')).toBe('***, *** and ***');
    expect(secrets.hide('p@ss and nothing else')).toBe('p@ss and nothing else');
  });

  it('hides the longer of two values that overlap', () => {
    const secrets = createSecrets();
    secrets.add('hunter2');
    secrets.add('postgresql://ops:hunter2@db1/orders');
    expect(secrets.hide('at postgresql://ops:hunter2@db1/orders: hunter2')).toBe('at ***: ***');
  });

  it('takes values as text, not as patterns', () => {
    const secrets = createSecrets();
    secrets.add('a.*$&');
    expect(secrets.hide('abc a.*$& $&')).toBe('abc *** $&');
  });

  it('announces each form once, before it is needed', () => {
    const announced: string[] = [];
    const secrets = createSecrets((value) => announced.push(value));
    secrets.add('p@ss');
    secrets.add('p@ss');
    secrets.add('plain');
    expect(announced).toEqual(['p@ss', 'p%40ss', 'plain']);
  });

  it('leaves out what would blot out half of every report', () => {
    const announced: string[] = [];
    const secrets = createSecrets((value) => announced.push(value));
    for (const value of ['', 'a', 'ab', 'abc']) secrets.add(value);
    expect(announced).toEqual(['abc']);
    expect(secrets.hide('a ab abc')).toBe('a ab ***');
  });

  it('hides the encoded form of a value that is too short as it is', () => {
    const secrets = createSecrets();
    secrets.add('@');
    expect(secrets.hide('ops@db1 ops:%40@db1')).toBe('ops@db1 ops:***@db1');
  });
});

describe('hideIn', () => {
  it('goes through everything and leaves what is no text as it is', () => {
    const secrets = createSecrets();
    secrets.add('hunter2');
    const record = {
      verdict: 'login with hunter2 failed',
      steps: [{ output: ['hunter2', 'ok'], ms: 12 }],
      next: null,
      changed: false,
    };
    const copy = structuredClone(record);
    expect(hideIn(record, secrets)).toEqual({
      verdict: 'login with *** failed',
      steps: [{ output: ['***', 'ok'], ms: 12 }],
      next: null,
      changed: false,
    });
    expect(record).toEqual(copy);
  });
});
