import { mkdirSync, mkdtempDisposableSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keepManifests, keptManifests, workspaceManifests } from '../../src/action/manifests.ts';
import { largestManifest } from '../../src/spec/manifest.ts';

function workspace() {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'manifests-'));
  const root = join(folder.path, 'repository');
  mkdirSync(join(root, 'deploy'), { recursive: true });
  return { root, outside: folder.path, [Symbol.dispose]: () => folder.remove() };
}

it('reads a file of the workspace once, also through a link that stays inside', () => {
  using at = workspace();
  writeFileSync(join(at.root, 'deploy/db.yaml'), 'image: postgres:15.20\n');
  symlinkSync('deploy/db.yaml', join(at.root, 'link.yaml'));
  const reader = workspaceManifests(at.root);
  expect([reader.read('deploy/db.yaml'), reader.read('link.yaml')]).toEqual(
    Array(2).fill('image: postgres:15.20\n'),
  );
  rmSync(join(at.root, 'deploy/db.yaml'));
  expect(reader.read('deploy/db.yaml')).toBe('image: postgres:15.20\n');
});

it.each<[string, (root: string, outside: string) => void, string]>([
  ['missing', () => {}, 'there is no such file'],
  ['a folder', (root) => void mkdirSync(join(root, 'x.yaml')), 'it is no file'],
  [
    'a link out of it',
    (root, outside) => {
      writeFileSync(join(outside, 'secret'), 'image: postgres:15.20');
      symlinkSync('../secret', join(root, 'x.yaml'));
    },
    'it leads out of the repository',
  ],
  [
    'a link to a system file',
    (root) => symlinkSync('/etc/passwd', join(root, 'x.yaml')),
    'it leads out of the repository',
  ],
  [
    'too large',
    (root) => writeFileSync(join(root, 'x.yaml'), Buffer.alloc(largestManifest + 1, 'a')),
    'it is larger than 1 MiB',
  ],
  ['no text', (root) => writeFileSync(join(root, 'x.yaml'), Buffer.from([0xff, 0xfe])), 'it is not UTF-8'],
])('refuses what is %s', (_, prepare, why) => {
  using at = workspace();
  prepare(at.root, at.outside);
  expect(() => workspaceManifests(at.root).read('x.yaml')).toThrow(
    expect.objectContaining({ code: 'manifest-unreadable', message: `x.yaml:1:1 cannot be read: ${why}.` }),
  );
});

it('keeps for the post step what main read, whatever became of the workspace', () => {
  using at = workspace();
  writeFileSync(join(at.root, 'a.yaml'), 'one');
  const reader = workspaceManifests(at.root);
  reader.read('a.yaml');
  keepManifests(at.outside, reader);
  writeFileSync(join(at.root, 'a.yaml'), 'two');
  expect(keptManifests(at.outside).read('a.yaml')).toBe('one');
  expect(() => keptManifests(at.outside).read('b.yaml')).toThrow('main did not keep it');
  expect(() => keptManifests(at.root).read('a.yaml')).toThrow('main did not keep it');
});
