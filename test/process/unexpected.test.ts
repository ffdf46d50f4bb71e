/** The entry points themselves, with an error that is thrown as soon as they can hear it. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { createSecrets } from '../../src/process/secrets.ts';
import { hideUnexpected, unexpected } from '../../src/process/unexpected.ts';

const thrower = `
  process.on('newListener', (name) => {
    if (name === 'uncaughtException') setImmediate(() => { throw new Error('a\\n::error::b ##[c]'); });
  });`;

it.each(['src/main.ts', 'src/post.ts'])('%s prints no command of a text that is not ours', async (entry) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'unexpected-'));
  const { code, stdout } = await run(
    [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(thrower)}`, resolve(entry)],
    { cwd: folder.path },
  );
  expect(code).toBe(1);
  expect(stdout).toContain('Unexpected: Error: a\n: :error::b # #[c]');
  expect(stdout).not.toMatch(/^\s*::error::b|##\[c/m);
});

it('hides the secrets of the run', () => {
  const secrets = createSecrets();
  secrets.add('hunter2');
  hideUnexpected(secrets.hide);
  expect(unexpected('postgres://u:hunter2@h/d')).toBe('Unexpected: postgres://u:***@h/d\n');
  hideUnexpected((text) => text);
});
