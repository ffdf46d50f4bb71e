import { describe, expect, it } from 'vitest';
import { changesVersion, classify, isPureMinor, type Side } from '../../src/report/change.ts';
import type { ChangeRecord } from '../../src/report/record-change.ts';

const plain = (version: string, rest: Side['rest'] = {}): Side => ({ version, image: null, rest });
const image = (version: string, suffix: string, name = 'docker.io/library/postgres'): Side => ({
  version,
  image: { name, suffix },
  rest: {},
});

describe('classify', () => {
  it.each<[string, Side | null, Side | null, ReturnType<typeof classify>]>([
    ['nothing', plain('15.17'), plain('15.17'), { kind: 'none', from: '15.17', to: '15.17', others: [] }],
    ['a minor', plain('15.9'), plain('15.10'), { kind: 'minor', from: '15.9', to: '15.10', others: [] }],
    ['a major', plain('15.17'), plain('16.0'), { kind: 'major', from: '15.17', to: '16.0', others: [] }],
    [
      'an older minor',
      plain('15.10'),
      plain('15.9'),
      { kind: 'downgrade', from: '15.10', to: '15.9', others: [] },
    ],
    [
      'an older major',
      plain('16.3'),
      plain('15.20'),
      { kind: 'downgrade', from: '16.3', to: '15.20', others: [] },
    ],
    ['a new target', null, plain('15.20'), { kind: 'new', from: null, to: '15.20', others: [] }],
    ['a removed target', plain('15.20'), null, { kind: 'removed', from: '15.20', to: null, others: [] }],
    [
      'a minor on the same distribution',
      image('15.17', 'bookworm'),
      image('15.18', 'bookworm'),
      { kind: 'minor', from: '15.17', to: '15.18', others: [] },
    ],
    [
      'a minor on another distribution',
      image('15.17', 'bookworm'),
      image('15.18', 'trixie'),
      { kind: 'distribution', from: '15.17-bookworm', to: '15.18-trixie', others: [] },
    ],
    [
      'another distribution alone',
      image('15.18', ''),
      image('15.18', 'alpine3.21'),
      { kind: 'distribution', from: '15.18', to: '15.18-alpine3.21', others: [] },
    ],
    [
      'another image',
      image('15.17', ''),
      image('15.18', '', 'ghcr.io/acme/postgres'),
      { kind: 'distribution', from: '15.17', to: '15.18', others: [] },
    ],
    [
      'a major on another distribution',
      image('15.18', 'bookworm'),
      image('17.2', 'trixie'),
      { kind: 'major', from: '15.18-bookworm', to: '17.2-trixie', others: [] },
    ],
    [
      'a minor and more',
      plain('15.17', { 'backup.prove': '"restore"', soak: '"1h"', wave: '1' }),
      plain('15.18', { 'backup.prove': '"none"', wave: '1', 'applications[0].stop[0]': '"rm"' }),
      {
        kind: 'minor',
        from: '15.17',
        to: '15.18',
        others: ['applications[0].stop[0]', 'backup.prove', 'soak'],
      },
    ],
  ])('%s', (_, base, head, expected) => expect(classify(base, head)).toEqual(expected));
});

describe('what may be upgraded without a look', () => {
  const change = (kind: ChangeRecord['kind'], others: string[] = []): ChangeRecord => ({
    event: 'push',
    number: null,
    base: 'b',
    head: 'a',
    kind,
    from: null,
    to: null,
    others,
    why: null,
  });
  const kinds = ['none', 'minor', 'major', 'distribution', 'downgrade', 'new', 'removed', 'unknown'] as const;

  it('is a minor version alone', () => {
    expect(kinds.filter((kind) => isPureMinor(change(kind)))).toEqual(['minor']);
    expect([isPureMinor(change('minor', ['backup.prove'])), isPureMinor(null)]).toEqual([false, false]);
  });

  it('is told apart from what asks for another version', () => {
    expect(kinds.filter((kind) => changesVersion(change(kind)))).toEqual([
      'minor',
      'major',
      'distribution',
      'downgrade',
      'new',
      'unknown',
    ]);
    expect(changesVersion(null)).toBe(false);
  });
});
