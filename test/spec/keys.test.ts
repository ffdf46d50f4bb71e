import { describe, expect, it } from 'vitest';
import { laterKeys } from '../../src/spec/schema.ts';
import { complaints, sentences, smallest } from './specs.ts';

const targetKeys =
  'name, postgres, connection, environment, backup, applications, pause, on-failure, advice, notes-read, checks, rehearsal, require-rehearsal, wave, windows, notify, health';

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

describe('a key of a later version', () => {
  it.each([...laterKeys])('%s is not available yet', (key) => {
    expect(complaints(`${smallest}    ${key}: [platform-team]\n`)).toEqual([
      {
        code: 'spec-key',
        message: `spec.yaml:7:5 "${key}" in targets[0] is not available in this version of the action.`,
        hint: `Remove it: a setting that is not carried out would promise something. Available here: ${targetKeys}.`,
        place: { file: 'spec.yaml', line: 7, column: 5 },
      },
    ]);
  });

  it('is an ordinary unknown key where it would never stand', () => {
    expect(sentences(`${smallest}notify: [platform-team]\n`)).toEqual([
      'spec.yaml:7:1 "notify" is not a key of the spec.',
    ]);
  });

  it('is no key that the schema has', () => {
    expect([...laterKeys].filter((key) => targetKeys.split(', ').includes(key))).toEqual([]);
  });
});
