import { describe, expect, it } from 'vitest';
import { complaints, smallest } from './specs.ts';

const targetKeys =
  'name, postgres, connection, environment, backup, applications, read-only, drain, extensions, watch, rollback, pause, on-failure, advice, notes-read, checks, rehearsal, require-rehearsal, wave, windows, notify, health';

describe('an unknown key', () => {
  it.each([
    ['postgres:', 'postgress:', '4:5', 'postgress', ' in targets[0]', 'postgres'],
    ['environment:', 'enviroment:', '6:5', 'enviroment', ' in targets[0]', 'environment'],
    ['targets:', 'target:', '2:1', 'target', '', 'targets'],
    ['data:', 'dta:', '6:36', 'dta', ' in targets[0].environment', 'data'],
  ])('%s written as %s is told the nearest one', (right, wrong, at, key, where, nearest) => {
    const [line, column] = at.split(':').map(Number);
    expect(complaints(smallest.replace(right, wrong))).toContainEqual({
      code: 'spec-key',
      message: `spec.yaml:${at} "${key}"${where} is not a key of the spec.`,
      hint: `Did you mean "${nearest}"?`,
      place: { file: 'spec.yaml', line, column },
    });
  });

  it('that is near to none is told all of them', () => {
    expect(complaints(`${smallest}    foo: 1\n`)).toEqual([
      {
        code: 'spec-key',
        message: 'spec.yaml:7:5 "foo" in targets[0] is not a key of the spec.',
        hint: `Known here: ${targetKeys}.`,
        place: { file: 'spec.yaml', line: 7, column: 5 },
      },
    ]);
  });

  it('deep inside is told the keys of that place', () => {
    const text = `${smallest}    applications: [{ name: a, stop: [b], start: [c], restart: [d] }]\n    backup: { where: /b }\n`;
    expect(complaints(text).map(({ message, hint }) => [message, hint])).toEqual([
      [
        'spec.yaml:8:15 "where" in targets[0].backup is not a key of the spec.',
        'Known here: format, directory, jobs, compress, clients, prove, keep-days, encrypt-to, publish-unencrypted.',
      ],
      [
        'spec.yaml:7:54 "restart" in targets[0].applications[0] is not a key of the spec.',
        'Did you mean "start"?',
      ],
    ]);
  });
});
