import { mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileInside, isInside, touchesWorkspace } from '../../src/action/inside.ts';
import { readSpec } from '../../src/action/spec-file.ts';

function workspace() {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'inside-'));
  const root = join(folder.path, 'repository');
  mkdirSync(join(root, 'ops'), { recursive: true });
  return { root, outside: folder.path, [Symbol.dispose]: () => folder.remove() };
}

it.each([
  ['/w', '/w', true],
  ['/w', '/w/a', true],
  ['/w', '/w/..a/b', true],
  ['/w', '/wide', false],
  ['/w', '/', false],
  ['/w/a', '/w', false],
])('%s, %s: %s', (folder, path, expected) => expect(isInside(folder, path)).toBe(expected));

it('finds regular files, and follows links only inside', () => {
  using at = workspace();
  writeFileSync(join(at.root, 'ops/a.yaml'), 'four');
  writeFileSync(join(at.outside, 'secret'), 'x');
  symlinkSync('ops/a.yaml', join(at.root, 'link'));
  symlinkSync('../secret', join(at.root, 'out'));
  symlinkSync(at.outside, join(at.root, 'folder'));
  const path = join(at.root, 'ops/a.yaml');
  expect(fileInside(at.root, 'link')).toEqual({ path, bytes: 4 });
  expect(fileInside(at.root, path)).toEqual({ path, bytes: 4 });
  for (const file of ['out', 'folder/secret', '/etc/passwd', '/proc/self/environ'])
    expect(fileInside(at.root, file)).toEqual({ why: 'it leads out of the repository' });
  expect(fileInside(at.root, 'ops')).toEqual({ why: 'it is no file' });
  expect(fileInside(at.root, 'none')).toEqual({ why: 'there is no such file' });
});

it('reads a spec behind a link out of the workspace only where no repository decides it', async () => {
  using at = workspace();
  const specPath = join(at.root, 'postgres-upgrade.yaml');
  writeFileSync(join(at.outside, 'secret'), 'aws_secret_access_key: x');
  symlinkSync('../secret', specPath);
  const inputs = { spec: 'postgres-upgrade.yaml', specPath };
  await expect(readSpec(inputs, at.root, true, '')).rejects.toMatchObject({
    code: 'spec-unreadable',
    message: 'The spec postgres-upgrade.yaml cannot be read: it leads out of the repository.',
  });
  expect(await readSpec(inputs, at.root, false, '')).toBe('aws_secret_access_key: x');
});

it('knows a folder of the workspace by its name and behind links, there or not', () => {
  using at = workspace();
  symlinkSync(at.outside, join(at.root, 'reports'));
  symlinkSync(at.root, join(at.outside, 'back'));
  mkdirSync(join(at.outside, 'temp'));
  const touched = ['', 'reports', 'reports/a', 'none/a', '../back', '../back/none'].map((name) =>
    touchesWorkspace(at.root, join(at.root, name)),
  );
  expect(touched).toEqual([true, true, true, true, true, true]);
  for (const name of ['temp', 'temp/none', 'repository-out'])
    expect(touchesWorkspace(at.root, join(at.outside, name))).toBe(false);
});
