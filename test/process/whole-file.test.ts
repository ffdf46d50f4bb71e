import {
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeOwnFolder, writeWhole } from '../../src/process/whole-file.ts';

it('replaces links, and follows none', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'whole-'));
  const at = (name: string): string => join(folder.path, name);
  mkdirSync(at('reports'));
  for (const name of ['one', 'two']) writeFileSync(at(name), 'original');
  symlinkSync('../one', at('reports/report.json'));
  symlinkSync('../two', at('reports/report.json.tmp'));
  writeWhole(at('reports/report.json'), 'new');
  expect(['one', 'two', 'reports/report.json'].map((name) => readFileSync(at(name), 'utf8'))).toEqual([
    'original',
    'original',
    'new',
  ]);
  expect(readdirSync(at('reports'))).toEqual(['report.json']);
  expect(statSync(at('reports/report.json')).mode & 0o777).toBe(0o600);
});

it('makes folders for this user alone, and takes no link for one', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'whole-'));
  const at = (name: string): string => join(folder.path, name);
  makeOwnFolder(at('a/b'));
  makeOwnFolder(at('a/b'));
  expect([at('a'), at('a/b')].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
  mkdirSync(at('elsewhere'));
  symlinkSync('elsewhere', at('link'));
  expect(() => makeOwnFolder(at('link'))).toThrow('is a symbolic link');
});
