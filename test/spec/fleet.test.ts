/** Keys of a fleet: windows, waves, soak, channels. */
import { describe, expect, it } from 'vitest';
import { durationWords, milliseconds } from '../../src/spec/duration.ts';
import { complaints, load, sentences, smallest, specWith, targetWith } from './specs.ts';

const channels = 'channels: { platform-team: { slack: env:SLACK }, audit: { webhook: env:HOOK } }\n';

describe('a channel that is not there', () => {
  it('is told the nearest one, at its place', () => {
    expect(complaints(`${channels}${smallest}    notify: [audit, platform-taem]\n`)).toEqual([
      {
        code: 'spec-channel',
        message:
          'spec.yaml:8:21 targets[0].notify names "platform-taem", which is not among the channels of the spec.',
        hint: 'Did you mean "platform-team"?',
        place: { file: 'spec.yaml', line: 8, column: 21 },
      },
    ]);
  });

  it('that is near to none is told all; without any, how to add one', () => {
    const hints = (text: string): (string | undefined)[] => complaints(text).map(({ hint }) => hint);
    expect(hints(`${channels}${smallest}    notify: [nobody, noone]\n`)).toEqual([
      'Known: platform-team, audit.',
      'Known: platform-team, audit.',
    ]);
    expect(hints(`${smallest}    notify: [ops]\n`)).toEqual([
      'Add it at the top of the spec: channels: { ops: { slack: env:SLACK_WEBHOOK_URL } }.',
    ]);
    expect(hints(`${channels}${smallest}    notify: [toString]\n`)).toEqual(['Known: platform-team, audit.']);
  });

  it('is no fault of the others', () => {
    const [target] = load(`${channels}${smallest}    notify: [audit]\n`);
    expect([target?.spec.notify, target?.fleet.channels]).toEqual([
      ['audit'],
      {
        'platform-team': { slack: 'env:SLACK', at: ['start', 'pause', 'end'] },
        audit: { webhook: 'env:HOOK', at: ['start', 'pause', 'end'] },
      },
    ]);
  });
});

describe('a channel', () => {
  it.each([
    ['{ slack: env:B, at: [begin] }', 'channels.t.at[0] is "begin": write one of start, pause, end.'],
    ['{ slack: env:B, at: end }', 'channels.t.at is "end": write a list, for example [a, b].'],
    ['{ webhook: env:B, at: [] }', 'channels.t.at is []: write at least 1.'],
    ['{ token: env:B }', 'channels.t.webhook is missing.'],
  ])('%s', (channel, sentence) => {
    expect(sentences(`channels: { t: ${channel} }\n${smallest}`)).toEqual([
      expect.stringContaining(sentence),
    ]);
  });

  it('is told the keys of its sort', () => {
    const told = (channel: string) =>
      complaints(`channels: { t: ${channel} }\n${smallest}`).map(({ message, hint }) => [message, hint]);
    expect(told('{ slack: env:B, token: env:C }')).toEqual([
      ['spec.yaml:1:32 "token" in channels.t is not a key of the spec.', 'Known here: slack, at.'],
    ]);
    expect(told('{ webhook: env:B, tokem: env:C }')).toEqual([
      ['spec.yaml:1:34 "tokem" in channels.t is not a key of the spec.', 'Did you mean "token"?'],
    ]);
  });

  it('to be told of stands in a list', () => {
    expect(sentences(`${channels}${smallest}    notify: audit\n`)).toEqual([
      'spec.yaml:8:13 targets[0].notify is "audit": write a list of names of channels, for example [platform-team].',
    ]);
  });
});

describe('windows', () => {
  it('have defaults, and may last until midnight', () => {
    expect(
      specWith('windows: [{ hours: "00:00-24:00" }, { days: [sat], hours: "22:00-04:00" }]').windows,
    ).toEqual([
      { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], hours: '00:00-24:00', 'time-zone': 'UTC' },
      { days: ['sat'], hours: '22:00-04:00', 'time-zone': 'UTC' },
    ]);
  });

  it.each([
    ['{ hours: "22-04" }', '.hours is "22-04": write from and to, for example "22:00-04:00"'],
    ['{ hours: "22:00-24:30" }', '.hours is "22:00-24:30": write from and to, for example "22:00-04:00"'],
    ['{ hours: "22:00-22:00" }', '.hours is "22:00-22:00": from and to must differ'],
    [
      '{ hours: "22:00-04:00", days: [saturday] }',
      '.days[0] is "saturday": write one of mon, tue, wed, thu, fri, sat, sun',
    ],
    [
      '{ hours: "22:00-04:00", time-zone: Europe/Berlino }',
      '.time-zone is "Europe/Berlino": write an IANA time zone, for example Europe/Berlin',
    ],
  ])('%s', (window, sentence) => {
    expect(sentences(`${smallest}    windows: [${window}]\n`)).toEqual([
      expect.stringContaining(`targets[0].windows[0]${sentence}.`),
    ]);
  });
});

describe('a fleet', () => {
  const more = (name: string, wave: number): string =>
    `${smallest.split('targets:\n')[1]?.replace('orders', name)}    wave: ${wave}\n`;

  it('knows its waves in order, and all its targets', () => {
    const targets = load(`soak: 12h\n${smallest}    wave: 3\n${more('stock', 1)}${more('shop', 3)}`);
    expect(targets[0]?.fleet).toMatchObject({
      soak: '12h',
      waves: [
        { wave: 1, targets: ['stock'] },
        { wave: 3, targets: ['orders', 'shop'] },
      ],
    });
    expect(targets[2]?.fleet).toBe(targets[0]?.fleet);
  });

  it('of one target is one wave', () =>
    expect(targetWith('').fleet.waves).toEqual([{ wave: 1, targets: ['orders'] }]));
});

describe('a time span', () => {
  it.each([
    ['0m', 0, '0 minutes'],
    ['1m', 60_000, '1 minute'],
    ['90m', 5_400_000, '90 minutes'],
    ['12h', 43_200_000, '12 hours'],
    ['7d', 604_800_000, '7 days'],
  ])('%s', (text, ms, words) => expect([milliseconds(text), durationWords(text)]).toEqual([ms, words]));

  it.each(['1', '1w', '-1d', '01d', '1.5h'])('%s is none', (text) =>
    expect(sentences(`soak: ${text}\n${smallest}`)).toEqual([
      expect.stringContaining('write a number and m, h or d, for example "12h"'),
    ]),
  );
});
