/** Writes what is generated from the sources: the three JSON schemas and README's tables of inputs and outputs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { markdownTable } from 'markdown-table';
import { parse } from 'yaml';
import { z } from 'zod';
import { checkIds } from '../src/checks/catalogue.ts';
import { environmentSchema } from '../src/environments/registry.ts';
import { planFileSchema } from '../src/report/plan-file.ts';
import { recordSchema } from '../src/report/record.ts';
import { specSchema } from '../src/spec/schema.ts';

interface ActionFile {
  inputs: Record<string, { description: string; default?: string }>;
  outputs: Record<string, { description: string }>;
}

function schemaText(schema: z.ZodType, io: 'input' | 'output'): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { io }), null, 2)}\n`;
}

function cell(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}

/** The tables of the README, from action.yml. */
export function tables(action: ActionFile): { inputs: string; outputs: string } {
  const inputs = Object.entries(action.inputs).map(([name, { description, default: value }]) => [
    `\`${name}\``,
    cell(description),
    value ? `\`${value}\`` : '',
  ]);
  const outputs = Object.entries(action.outputs).map(([name, { description }]) => [
    `\`${name}\``,
    cell(description),
  ]);
  return {
    inputs: markdownTable([['Input', 'Meaning', 'Default'], ...inputs], { alignDelimiters: false }),
    outputs: markdownTable([['Output', 'Meaning'], ...outputs], { alignDelimiters: false }),
  };
}

/** Puts a table between its markers. */
export function place(readme: string, name: string, table: string): string {
  const pattern = new RegExp(`(<!-- ${name}:start -->)[\\s\\S]*?(<!-- ${name}:end -->)`);
  if (!pattern.test(readme)) throw new Error(`README.md has no markers for ${name}`);
  return readme.replace(pattern, (_all, start: string, end: string) => `${start}\n${table}\n${end}`);
}

/**
 * action.yml for `uses: $/.github/actions/postgres-upgrade` of our reusable workflows: GitHub's reference to the own
 * repository needs a folder, the root cannot be named. The same file, with the way to dist.
 */
export function actionBelow(action: string): string {
  return `# Generated from action.yml: edit that.\n${action.replaceAll(/^( +(?:main|post): )dist/gm, '$1../../../dist')}`;
}

/** Every generated file with its content. */
export function generated(): Map<string, string> {
  const action = readFileSync('action.yml', 'utf8');
  const { inputs, outputs } = tables(parse(action) as ActionFile);
  const readme = readFileSync('README.md', 'utf8');
  return new Map([
    ['schema/upgrade-spec.schema.json', schemaText(specSchema(environmentSchema, checkIds), 'input')],
    ['schema/upgrade-record.schema.json', schemaText(recordSchema, 'output')],
    ['schema/upgrade-plan.schema.json', schemaText(planFileSchema, 'output')],
    ['README.md', place(place(readme, 'inputs', inputs), 'outputs', outputs)],
    ['.github/actions/postgres-upgrade/action.yml', actionBelow(action)],
  ]);
}

if (process.argv[1] === import.meta.filename) {
  for (const [file, text] of generated()) writeFileSync(file, text);
}
