import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type Inputs, readInputs } from '../../src/action/inputs.ts';

const digest = 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c';

/** Inputs come as the runner gives them: upper case, spaces turned to underscores, dashes kept. */
function given(inputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(inputs)) vi.stubEnv(`INPUT_${name.toUpperCase()}`, value);
}

function read(inputs: Readonly<Record<string, string>> = {}, onGitHub = true): Inputs {
  given(inputs);
  return readInputs('/workspace', onGitHub);
}

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) vi.stubEnv(name, undefined);
  vi.stubEnv('RUNNER_TEMP', '/runner/temp');
});

afterEach(() => vi.unstubAllEnvs());

describe('readInputs', () => {
  it('has a default for everything', () => {
    expect(read()).toEqual({
      spec: 'postgres-upgrade.yaml',
      specPath: '/workspace/postgres-upgrade.yaml',
      targets: [],
      mode: 'plan',
      planDigest: '',
      artifacts: 'reports',
      summary: true,
      reportUrl: '',
      githubToken: '',
      outputDirectory: '/runner/temp/postgres-upgrade',
      from: '',
      overrides: new Set(),
      planFile: '',
      comment: true,
      issue: false,
      atMerge: 'nothing',
      pullRequestChanges: 'version-only',
      variables: {},
    });
  });

  it('has the defaults of action.yml', () => {
    const { inputs } = parse(readFileSync('action.yml', 'utf8')) as {
      inputs: Record<string, { default: string }>;
    };
    const defaults = Object.entries(inputs)
      .filter(([name]) => name !== 'github-token')
      .map(([name, { default: value }]) => [name, value]);
    expect(read(Object.fromEntries(defaults))).toEqual(read());
  });

  it('takes what is given', () => {
    expect(
      read({
        spec: ' ops/upgrade.yaml ',
        targets: 'orders, stock\n  metrics,,',
        mode: 'upgrade',
        'plan-digest': digest,
        artifacts: 'all',
        summary: 'false',
        'report-url': 'https://upgrades.example.com/reports',
        'output-directory': 'out',
        from: '/srv/backups',
        override: 'window, wave',
        'plan-file': 'plan.json',
        comment: 'false',
        issue: 'true',
        'at-merge': 'upgrade-minor',
        'pull-request-changes': 'allow',
        variables: '# of stock\nSTOCK_URL=postgresql://a=b@h/d\r\n\n  EMPTY=\n',
      }),
    ).toEqual({
      spec: 'ops/upgrade.yaml',
      specPath: '/workspace/ops/upgrade.yaml',
      targets: ['orders', 'stock', 'metrics'],
      mode: 'upgrade',
      planDigest: digest,
      artifacts: 'all',
      summary: false,
      reportUrl: 'https://upgrades.example.com/reports',
      githubToken: '',
      outputDirectory: '/workspace/out',
      from: '/srv/backups',
      overrides: new Set(['window', 'wave']),
      planFile: '/workspace/plan.json',
      comment: false,
      issue: true,
      atMerge: 'upgrade-minor',
      pullRequestChanges: 'allow',
      variables: { STOCK_URL: 'postgresql://a=b@h/d', EMPTY: '' },
    });
  });

  it('keeps reports in the temporary folder on GitHub, beside the spec elsewhere', () => {
    expect(read({}, false).outputDirectory).toBe('/workspace/postgres-upgrade-report');
    vi.stubEnv('RUNNER_TEMP', '');
    expect(read().outputDirectory).toBe(join(tmpdir(), 'postgres-upgrade'));
  });

  it('reads a spec outside of the workspace only where no repository decides it', () => {
    expect(read({ spec: '/etc/upgrade.yaml' }, false).specPath).toBe('/etc/upgrade.yaml');
    expect(read({ spec: 'a/../b.yaml' }).specPath).toBe('/workspace/b.yaml');
    for (const spec of ['/etc/passwd', '../other/b.yaml', 'a/../../b.yaml']) {
      expect(() => read({ spec })).toThrow(
        expect.objectContaining({
          code: 'input',
          message: `The spec ${spec} lies outside of the workspace.`,
          hint: 'Name a file of the checked-out repository.',
        }),
      );
    }
  });

  it.each([
    ['mode', 'upgrad', 'list, plan, check, rehearse, upgrade, resume, rollback'],
    ['artifacts', 'ALL', 'all, reports, none'],
    ['summary', 'yes', 'true, false'],
    ['comment', '1', 'true, false'],
    ['issue', 'TRUE', 'true, false'],
    ['at-merge', 'all', 'nothing, plan, upgrade-minor, upgrade'],
    ['pull-request-changes', 'all', 'version-only, allow'],
    ['override', 'checks', 'window, wave, rehearsal'],
  ])('refuses %s: %s', (name, value, allowed) => {
    expect(() => read({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'input',
        phase: 'inputs',
        message: `The input ${name} is "${value}".`,
        hint: `It must be one of: ${allowed}.`,
      }),
    );
  });

  it('refuses a backup by a relative path, and variables that are none', () => {
    expect(() => read({ from: 'backups' })).toThrow('The input from is "backups".');
    // The value may be a secret: it is in no message.
    expect(() => read({ from: '', variables: 'A=b\nhunter2' })).toThrow(
      expect.objectContaining({ code: 'input', message: 'Line 2 of the input variables is not NAME=value.' }),
    );
  });

  it('masks the variables that are long enough to be secrets', () => {
    const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    read({ variables: 'REPLICAS=1\nEMPTY=\nTHREE=abc\nFOUR=abcd\nSTOCK_URL=postgresql://a=b@h/d\n' });
    const masks = said.mock.calls.map(([text]) => String(text).trim());
    said.mockRestore();
    expect(masks).toEqual(['::add-mask::abcd', '::add-mask::postgresql://a=b@h/d']);
  });

  it.each(['abc', digest.slice(1), digest.toUpperCase(), `${digest} x`])(
    'refuses plan-digest %s',
    (value) => {
      expect(() => read({ 'plan-digest': value })).toThrow(
        expect.objectContaining({ message: 'The input plan-digest is not a digest.' }),
      );
    },
  );

  it.each([
    'https://upgrades.example.com',
    'http://127.0.0.1:8080/reports',
    'http://localhost/reports',
    'http://[::1]:8080/reports',
  ])('posts to %s', (url) => expect(read({ 'report-url': url }).reportUrl).toBe(url));

  it.each([
    'http://upgrades.example.com',
    'upgrades.example.com',
    'http://localhost.example.com/',
    'http://localhost:80@example.com/',
    'ftp://example.com',
    'https://',
    'https://exa mple.com',
  ])('does not post to %s', (url) => {
    expect(() => read({ 'report-url': url })).toThrow(
      expect.objectContaining({
        code: 'input',
        message: 'The input report-url is not an https URL.',
        hint: 'The record must not travel in clear.',
      }),
    );
  });
});
