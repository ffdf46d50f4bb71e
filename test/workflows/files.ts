/** The workflows of this repository, as text and parsed, and our action's own words. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const root = join(import.meta.dirname, '../..');
export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Paths from the root, sorted. */
export const files = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();

/** To be copied as they are. */
export const copies = files('workflows/*.yml');
/** To be called. */
export const reusable = files('.github/workflows/reusable-*.yml');
/** To be copied: they call the reusable ones. */
export const callers = files('workflows/short/*.yml');
/** All of them, and our own CI. */
export const all = [...copies, ...reusable, ...callers, ...files('.github/workflows/ci.yml')];

/** How the copies, the callers, and the reusable workflows refer to us. */
export const placeholder = 'OWNER/postgres-upgrade-action@COMMIT';
export const self = '$/.github/actions/postgres-upgrade';

/** Inputs and outputs as action.yml has them. */
export const action = parse(read('action.yml')) as {
  name: string;
  description: string;
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
};

/** One step of a job. */
export interface Step {
  id?: string;
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, string>;
  env?: Record<string, string>;
}

/** One job; `uses` where it calls a workflow. */
export interface Job {
  if?: string;
  needs?: string | string[];
  uses?: string;
  permissions?: Record<string, string>;
  environment?: string;
  concurrency?: Record<string, unknown>;
  strategy?: Record<string, unknown>;
  outputs?: Record<string, string>;
  with?: Record<string, string>;
  secrets?: unknown;
  steps?: Step[];
  'timeout-minutes'?: number;
  'runs-on'?: unknown;
}

/** One workflow. */
export interface Workflow {
  on: Record<string, unknown>;
  permissions?: unknown;
  concurrency?: unknown;
  jobs: Record<string, Job>;
}

export const load = (text: string): Workflow => parse(text) as Workflow;

/** Whether a step is a run of our action. */
export const isOurs = (step: Step): boolean => step.uses === placeholder || step.uses === self;
