import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { networkEnvironment } from './network.ts';
import { type ActionOptions, type Result, runAction } from './runner.ts';

const core = JSON.stringify(resolve(import.meta.dirname, '../../node_modules/@actions/core/lib/core.js'));
let workspace: string;
let disposables: AsyncDisposable[];

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  disposables = [];
});

afterEach(async () => {
  for (const disposable of disposables) await disposable[Symbol.asyncDispose]();
  await rm(workspace, { recursive: true });
});

async function run(source: string, options: Partial<ActionOptions> = {}): Promise<Result> {
  const entry = join(workspace, 'main.mjs');
  await writeFile(entry, source);
  const result = await runAction({ entry, workspace, ...options });
  disposables.push(result);
  return result;
}

describe('what the action is given', () => {
  test('inputs, identity, the event and a short environment', async () => {
    const { outputs } = await run(
      `import * as core from ${core}; import { readFileSync } from 'node:fs';
       core.setOutput('env', process.env);
       core.setOutput('event', readFileSync(process.env.GITHUB_EVENT_PATH, 'utf8'));
       core.setOutput('cwd', process.cwd());
       core.setOutput('input', core.getInput('backup-key file'));
       core.setOutput('node', process.version);
       core.setOutput('stdin', await new Promise((end) => process.stdin.on('end', () => end('closed')).resume()));`,
      {
        inputs: { 'backup-key file': ' age1 ', mode: '' },
        env: { GITHUB_RUN_ATTEMPT: '2', TOKEN: 't' },
        event: { name: 'pull_request', payload: { number: 7 } },
      },
    );
    expect(outputs).toMatchObject({ cwd: workspace, input: 'age1', event: '{"number":7}', stdin: 'closed' });
    expect(outputs.node).toMatch(/^v24\./);
    const env = JSON.parse(outputs.env ?? '');
    expect(env).toMatchObject({
      'INPUT_BACKUP-KEY_FILE': ' age1 ',
      INPUT_MODE: '',
      GITHUB_ACTIONS: 'true',
      CI: 'true',
      GITHUB_REPOSITORY: 'octo-org/octo-repo',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_WORKSPACE: workspace,
      TOKEN: 't',
    });
    expect(dirname(env.GITHUB_OUTPUT)).toBe(join(env.RUNNER_TEMP, '_runner_file_commands'));
    const network = networkEnvironment();
    const own = Object.keys(env).filter(
      (name) => !/^(GITHUB_|RUNNER_|INPUT_)/.test(name) && !(name in network),
    );
    expect(own.sort()).toEqual(['CI', 'HOME', 'PATH', 'TOKEN']);
  });

  test('inputs that `with:` leaves out come with their default or empty, in post too', async () => {
    const actionFile = join(workspace, 'action.yml');
    await writeFile(
      actionFile,
      `inputs:
  mode: { default: plan, required: true }
  spec file: { description: no default }
  dry-run: { default: false }
  keep: { default: 15.20 }
  given: { default: unused }
  emptied: { default: unused }
  where: { default: "\${{ github.repository }}/\${{runner.os}}" }
  token: { default: "\${{ github.token }}" }
`,
    );
    const source = `
      import * as core from ${core};
      core.setOutput('inputs', Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('INPUT_'))));`;
    await writeFile(join(workspace, 'post.mjs'), source);
    const inputs = { Given: 'mine', emptied: '', undeclared: 'kept' };
    const result = await run(source, { actionFile, inputs, post: true });
    const seen = JSON.parse(result.outputs.inputs ?? '');
    expect(seen).toEqual({
      INPUT_MODE: 'plan',
      INPUT_SPEC_FILE: '',
      'INPUT_DRY-RUN': 'false',
      INPUT_KEEP: '15.2',
      INPUT_GIVEN: 'mine',
      INPUT_EMPTIED: '',
      INPUT_UNDECLARED: 'kept',
      INPUT_WHERE: 'octo-org/octo-repo/Linux',
      INPUT_TOKEN: '',
    });
    expect(JSON.parse(result.post?.outputs.inputs ?? '')).toEqual(seen);
    const env = { GITHUB_TOKEN: 'ghs_1' };
    const withToken = await run(source, { actionFile, env });
    expect(JSON.parse(withToken.outputs.inputs ?? '')).toMatchObject({ INPUT_TOKEN: 'ghs_1' });
  });

  test('without an action.yml only the inputs of `with:` arrive', async () => {
    const { outputs } = await run(
      `import * as core from ${core}; core.setOutput('names', Object.keys(process.env).filter((name) => name.startsWith('INPUT_')));`,
      { actionFile: join(workspace, 'action.yml'), inputs: { mode: 'plan' } },
    );
    expect(outputs.names).toBe('["INPUT_MODE"]');
  });

  test('a default that the runner would compute from elsewhere is an error', async () => {
    const actionFile = join(workspace, 'action.yml');
    await writeFile(actionFile, `inputs: { a: { default: "\${{ hashFiles(1) }}" } }`);
    const env = { RUNNER_TEMP: workspace };
    await expect(run('', { actionFile, env })).rejects.toThrow("No value is known for 'hashFiles(1)'");
  });
});
