/** What actions/runner gives an action's script: its environment, its files and its inputs. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { toolCache } from '../../src/postgres/install.ts';
import { networkEnvironment } from './network.ts';
import type { ActionOptions, Job } from './runner.ts';

type Values = Readonly<Record<string, string>>;
type Input = { default?: unknown };

const root = resolve(import.meta.dirname, '../..');

/** Makes the stage's files and the environment that names them. */
export function prepare({ options, temp, trackingId }: Job) {
  const { workspace, env = {}, event = { name: 'workflow_dispatch', payload: {} } } = options;
  const [folder, eventFolder] = [join(temp, '_runner_file_commands'), join(temp, '_github_workflow')];
  mkdirSync(folder, { recursive: true });
  mkdirSync(eventFolder, { recursive: true });
  const eventPath = join(eventFolder, 'event.json');
  writeFileSync(eventPath, JSON.stringify(event.payload));
  const suffix = randomUUID();
  const files = {
    GITHUB_OUTPUT: join(folder, `set_output_${suffix}`),
    GITHUB_STATE: join(folder, `save_state_${suffix}`),
    GITHUB_ENV: join(folder, `set_env_${suffix}`),
    GITHUB_PATH: join(folder, `add_path_${suffix}`),
    GITHUB_STEP_SUMMARY: join(folder, `step_summary_${suffix}`),
  };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    ...networkEnvironment(),
    CI: 'true',
    GITHUB_ACTION: '__octo-org_postgres-upgrade-action',
    GITHUB_ACTOR: 'octocat',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_REPOSITORY: 'octo-org/octo-repo',
    GITHUB_REPOSITORY_ID: '74',
    GITHUB_REPOSITORY_OWNER: 'octo-org',
    GITHUB_REPOSITORY_OWNER_ID: '65',
    GITHUB_RUN_ID: '1658821493',
    GITHUB_RUN_NUMBER: '10',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_WORKFLOW: 'Upgrade PostgreSQL',
    GITHUB_WORKFLOW_REF: 'octo-org/octo-repo/.github/workflows/upgrade.yml@refs/heads/main',
    GITHUB_JOB: 'upgrade',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_HEAD_REF: '',
    GITHUB_BASE_REF: '',
    GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: eventPath,
    GITHUB_WORKSPACE: workspace,
    RUNNER_NAME: 'GitHub Actions 2',
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: process.arch.toUpperCase(),
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_TEMP: temp,
    RUNNER_TOOL_CACHE: dirname(toolCache()),
    RUNNER_WORKSPACE: dirname(workspace),
    ...env,
    ...files,
    GITHUB_ACTIONS: 'true',
    RUNNER_TRACKING_ID: trackingId,
  };
  return { files, environment: { ...environment, ...inputsOf(options, environment) } };
}

/**
 * INPUT_<NAME> for every input that action.yml declares, its default or `''`, then for those of `with:`. A value
 * of `with:` counts even when it is empty: the runner takes the default only for what is not there.
 */
function inputsOf({ inputs = {}, actionFile = 'action.yml' }: ActionOptions, environment: Values): Values {
  const given = Object.entries(inputs).map(([name, value]) => [variable(name), value]);
  const defaults = declared(resolve(root, actionFile)).map(([name, input]) => [
    variable(name),
    evaluate(`${input.default ?? ''}`, environment),
  ]);
  return Object.fromEntries([...defaults, ...given]);
}

function variable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

function declared(file: string): [string, Input][] {
  const action: { inputs?: Record<string, Input> } | null = existsSync(file)
    ? parse(readFileSync(file, 'utf8'))
    : null;
  return Object.entries(action?.inputs ?? {});
}

/** Of the expressions only `github.*` and `runner.*`, read from the environment; `github.token` is its GITHUB_TOKEN. */
function evaluate(text: string, environment: Values): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    if (!/^(github|runner)\.\w+$/.test(expression)) throw new Error(`No value is known for '${expression}'`);
    return environment[expression.replace('.', '_').toUpperCase()] ?? '';
  });
}
