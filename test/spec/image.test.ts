import { describe, expect, it } from 'vitest';
import { parseImage, sameImage } from '../../src/spec/image.ts';

const hub = { registry: 'docker.io', repository: 'library/postgres', digest: null };
const digest = `sha256:${'a1'.repeat(32)}`;

describe('parseImage', () => {
  it.each([
    ['postgres:15.20', { ...hub, tag: '15.20', version: '15.20', suffix: '' }],
    ['postgres:15.20-bookworm', { ...hub, tag: '15.20-bookworm', version: '15.20', suffix: 'bookworm' }],
    [
      'postgres:15.20-alpine3.21',
      { ...hub, tag: '15.20-alpine3.21', version: '15.20', suffix: 'alpine3.21' },
    ],
    [
      'docker.io/library/postgres:15.20-trixie',
      { ...hub, tag: '15.20-trixie', version: '15.20', suffix: 'trixie' },
    ],
    ['index.docker.io/postgres:18.0', { ...hub, tag: '18.0', version: '18.0', suffix: '' }],
    ['postgres', { ...hub, tag: null, version: null, suffix: '' }],
    ['postgres:15', { ...hub, tag: '15', version: null, suffix: '' }],
    ['postgres:15-bookworm', { ...hub, tag: '15-bookworm', version: null, suffix: '' }],
    ['postgres:latest', { ...hub, tag: 'latest', version: null, suffix: '' }],
    ['postgres:15.4.0', { ...hub, tag: '15.4.0', version: null, suffix: '' }],
    ['postgres:15.020', { ...hub, tag: '15.020', version: null, suffix: '' }],
    [`postgres:15.20@${digest}`, { ...hub, digest, tag: '15.20', version: '15.20', suffix: '' }],
    [
      'ghcr.io/acme/postgres:15.20',
      {
        registry: 'ghcr.io',
        repository: 'acme/postgres',
        digest: null,
        tag: '15.20',
        version: '15.20',
        suffix: '',
      },
    ],
    [
      'localhost:5000/postgres:15.20',
      {
        registry: 'localhost:5000',
        repository: 'postgres',
        digest: null,
        tag: '15.20',
        version: '15.20',
        suffix: '',
      },
    ],
    [
      'acme/postgres:15.20',
      {
        registry: 'docker.io',
        repository: 'acme/postgres',
        digest: null,
        tag: '15.20',
        version: '15.20',
        suffix: '',
      },
    ],
  ])('%s', (text, parts) => expect(parseImage(text)).toEqual({ text, ...parts }));

  it.each([
    '',
    'Postgres:15.20',
    'postgres:',
    'postgres:15 20',
    'post gres',
    'postgres@sha256:00',
    `postgres@${digest}@${digest}`,
    '../postgres:15.20',
    '/postgres:15.20',
    'acme//postgres',
    'http://x/postgres',
    '{{ .Values.image }}:15.20',
    `postgres:${'1'.repeat(129)}`,
    `${'a'.repeat(600)}:15.20`,
  ])('%s is none', (text) => expect(parseImage(text)).toBeNull());
});

describe('sameImage', () => {
  it.each([
    ['postgres', 'docker.io/library/postgres:15.20', true],
    ['postgres', 'library/postgres:15.20', true],
    ['postgres', 'acme/postgres:15.20', false],
    ['postgres', 'ghcr.io/library/postgres:15.20', false],
    ['ghcr.io/acme/postgres', 'ghcr.io/acme/postgres:15.20', true],
  ])('%s and %s', (a, b, expected) => {
    const [one, other] = [parseImage(a), parseImage(b)];
    expect(one && other && sameImage(one, other)).toBe(expected);
  });
});
