/** Mode `rehearse` on a real server: what a run of the action does, without the action around it. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkIds } from '../../src/checks/catalogue.ts';
import { environmentSchema } from '../../src/environments/registry.ts';
import { createSecrets } from '../../src/process/secrets.ts';
import { recordSchema, type UpgradeRecord } from '../../src/report/record.ts';
import { loadSpec } from '../../src/spec/load.ts';
import { specSchema } from '../../src/spec/schema.ts';
import type { RunContext } from '../../src/upgrade/context.ts';
import { runTarget } from '../../src/upgrade/run-target.ts';
import type { TestServer } from '../support/servers.ts';

export interface Rehearsed extends AsyncDisposable {
  record: UpgradeRecord;
  lines: string[];
}

export interface RehearseOptions {
  wanted: string;
  /** Lines of the target's spec, without indentation. */
  more?: readonly string[];
  files?: Readonly<Record<string, string>>;
  context?: Partial<RunContext>;
}

/** Rehearses, and reads the record as everybody else would. */
export async function rehearse(server: TestServer, options: RehearseOptions): Promise<Rehearsed> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rehearse-'));
  const lines: string[] = [];
  const text = [
    'version: 1',
    'targets:',
    '  - name: orders',
    `    postgres: "${options.wanted}"`,
    '    connection: env:URL',
    `    environment: { kind: embedded, data: ${server.data}, port: ${server.port} }`,
    ...(options.more ?? []).map((line) => `    ${line}`),
    '',
  ].join('\n');
  const [target] = loadSpec(text, 'spec.yaml', specSchema(environmentSchema, checkIds));
  if (!target) throw new Error('no target');
  const context: RunContext = {
    mode: 'rehearse',
    log: {
      info: (line) => void lines.push(line),
      progress: (line) => void lines.push(line),
      annotate: ({ level, title, message }) => void lines.push(`${level} ${title}: ${message}`),
      startGroup: () => {},
      endGroup: () => {},
    },
    secrets: createSecrets(),
    signal: new AbortController().signal,
    variables: { URL: server.url },
    now: () => new Date(),
    identity: null,
    version: '0.0.0',
    outputDirectory: folder.path,
    files: new Map(Object.entries(options.files ?? {})),
    planDigest: '',
    approvedPlan: null,
    rehearseFrom: '',
    overrides: new Set(),
    changes: new Map(),
    onPullRequest: false,
    pullRequestChanges: 'version-only',
    outside: null,
    ...options.context,
  };
  const record = recordSchema.parse(await runTarget(target, context));
  return { record, lines, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** State and id of each stage. */
export function stagesOf({ rehearsal }: UpgradeRecord): string[] {
  return (rehearsal?.stages ?? []).map(({ id, state }) => `${id} ${state}`);
}
