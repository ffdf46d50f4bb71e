/** A secret that stands where its name belongs: no error repeats any of it. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorsOf } from '../../src/errors.ts';
import type { JsonSchema } from '../../src/spec/keys.ts';
import { masked, secretKeys, shown } from '../../src/spec/shown.ts';
import { complaints, load, schema, sentences, smallest } from './specs.ts';

const url = 'https://hooks.slack.com/services/T0HUNTER/B1HUNTER/x2hunter';
const database = 'postgresql://ops:hunter2@db1/orders?options=x2hunter';
const key = 'AGE-SECRET-KEY-1HUNTER2';
const wanted = 'write env:NAME: the name of an environment variable, never the secret itself';

const connection = (value: string): string =>
  smallest.replace('connection: env:ORDERS_DATABASE_URL', `connection: ${value}`);

describe('a secret where its name belongs', () => {
  it.each<[string, string, string]>([
    [
      'a connection',
      connection(database),
      `5:17 targets[0].connection is a text of 52 characters: ${wanted}.`,
    ],
    [
      'a password as connection',
      connection('hunter2'),
      `targets[0].connection is a text of 7 characters: ${wanted}.`,
    ],
    ['a number', connection('1234567'), 'targets[0].connection is a number: write a text.'],
    [
      'a connection with keys',
      connection(`{ url: "${database}" }`),
      'targets[0].connection is a set of keys: write a text.',
    ],
    ['a name with a dash', connection('env:hunter-2'), `is a text of 12 characters: ${wanted}.`],
    [
      'an identity',
      `${smallest}    rehearsal: { identity: ${key} }\n`,
      `7:28 targets[0].rehearsal.identity is a text of 23 characters: ${wanted}.`,
    ],
    [
      'the webhook of Slack',
      `channels: { t: { slack: "${url}" } }\n${smallest}`,
      `1:25 channels.t.slack is a text of 59 characters: ${wanted}.`,
    ],
    [
      'a webhook',
      `channels: { t: { webhook: "${url}" } }\n${smallest}`,
      `channels.t.webhook is a text of 59 characters: ${wanted}.`,
    ],
    [
      'a token',
      `channels: { t: { webhook: env:A, token: xoxb-hunter2 } }\n${smallest}`,
      `channels.t.token is a text of 12 characters: ${wanted}.`,
    ],
    [
      'a channel that is its URL',
      `channels: { t: "${url}" }\n${smallest}`,
      'channels.t is a text of 59 characters: write { slack: env:NAME } or { webhook: env:NAME, token: env:NAME }.',
    ],
    [
      'channels without names',
      `channels: { slack: "${url}" }\n${smallest}`,
      'channels.slack is a text of 59',
    ],
    [
      'channels as a list',
      `channels: [{ slack: "${url}" }]\n${smallest}`,
      'channels is [{"slack":"a text of 59 characters"}]',
    ],
    ['channels that are a URL', `channels: "${url}"\n${smallest}`, 'channels is a text of 59 characters'],
    [
      'a channel that cannot be told apart',
      `channels: { t: { slack: "${url}", webhook: "${url}" } }\n${smallest}`,
      'channels.t is {"slack":"a text of 59 characters","webhook":"a text of 5...: write { slack: env:NAME }',
    ],
    [
      'a channel with another key',
      `channels: { t: { url: "${url}" } }\n${smallest}`,
      'channels.t is {"url":"a text of 59 characters"}: write { slack: env:NAME }',
    ],
    [
      'the name of a channel',
      `channels: { "${url}": { slack: env:A } }\n${smallest}`,
      '1:13 a name in channels is "https://hooks.slack.com/***": use small letters, digits and dashes, at most 63.',
    ],
    [
      'an unknown key',
      `${smallest}    "${url}": 1\n`,
      '"https://hooks.slack.com/***" in targets[0] is not a key',
    ],
    [
      'a channel that is told',
      `${smallest}    notify: ["${url}"]\n`,
      'notify names "https://hooks.slack.com/***", which is not among the channels',
    ],
    [
      'targets that are no list',
      `version: 1\ntargets: { a: { connection: "${database}" } }\n`,
      'targets is {"a":{"connection":"a text of 52 characters"}}: write a list',
    ],
    [
      'a recipient',
      `${smallest}    backup: { encrypt-to: [${key}] }\n`,
      'is "AGE-SECRET-KEY-***": an age recipient looks like age1....',
    ],
    ['a version', smallest.replace('"15.20"', `"${database}"`), 'postgres is "postgresql://***": write'],
  ])('%s', (_what, text, sentence) => {
    expect(sentences(text).join('\n')).toContain(sentence);
    const told = JSON.stringify(complaints(text));
    expect(told).not.toMatch(/hunter|1234567|services|x2/i);
    expect(told.length).toBeGreaterThan(2);
    try {
      load(text);
    } catch (cause) {
      // What annotations and summaries are made of: every field, and the text of whatever threw it.
      const all = errorsOf(cause).flatMap(({ message, hint, stack, cause: inner }) => [
        message,
        hint,
        stack,
        inner,
      ]);
      expect(`${all.join('\n')}${String(cause)}`).not.toMatch(/hunter|1234567|services|x2/i);
    }
  });

  it('may be named: a name is shown', () => {
    expect(sentences(`channels: { t: { slack: env:HOOK, webhook: env:B } }\n${smallest}`)).toEqual([
      'spec.yaml:1:16 channels.t is {"slack":"env:HOOK","webhook":"env:B"}: write { slack: env:NAME } or { webhook: env:NAME, token: env:NAME }.',
    ]);
  });
});

describe('a file that is no YAML', () => {
  it.each<[string, string, string]>([
    ['text behind the end', 'a: 1\n}hunter2\n', 'spec.yaml:2:2 is not valid YAML: Unexpected scalar token'],
    [
      'an alias',
      'connection: *hunter2\n',
      'spec.yaml cannot be expanded: Unresolved alias (the anchor must be set before the alias).',
    ],
    ['a tag', 'connection: !hunter2 x\n', 'spec.yaml:1:13 is not valid YAML: Unresolved tag'],
    ['a directive', '%hunter2 x\n---\na: 1\n', 'spec.yaml:1:1 is not valid YAML: Unknown directive'],
  ])('is told without the text: %s', (_what, text, sentence) => {
    expect(sentences(text)).toContain(sentence);
    expect(JSON.stringify(complaints(text))).not.toContain('hunter');
  });
});

describe('the keys of secrets', () => {
  it('are found in the schema, also those that another version adds', () => {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    expect([...secretKeys(json)].sort()).toEqual([
      'connection',
      'identity',
      'key',
      'known-hosts',
      'slack',
      'token',
      'verify',
      'webhook',
    ]);
  });
});

describe('masked', () => {
  it.each([
    ['postgres:15', 'postgres:15'],
    ['ftp://x', 'ftp://x'],
    ['https://a.example/b?c', 'https://a.example/***'],
    ['postgresql://u:p/w?@h/d', 'postgresql://***'],
    ['host=db password = s3cret x', 'host=db password = *** x'],
  ])('%s becomes %s', (text, expected) => expect(masked(text)).toBe(expected));

  it('shows one line, cut', () => {
    expect(shown('a\nb')).toBe('"a\\nb"');
    expect(shown('x'.repeat(99))).toHaveLength(60);
    expect(shown(undefined)).toBe('nothing');
  });
});
