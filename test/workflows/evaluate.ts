/** Evaluates a workflow's expressions as GitHub does, with GitHub's own evaluator. */
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** What a condition may look at. */
export interface Contexts {
  github?: object;
  inputs?: object;
  needs?: object;
  matrix?: object;
}

const status = (name: string, value: boolean) => ({
  name,
  minArgs: 0,
  maxArgs: 0,
  call: () => new data.BooleanData(value),
});

/** The value of an expression without its braces, as JSON would hold it; `cancelled` for the run it stands in. */
export function evaluate(expression: string, contexts: Contexts, cancelled = false): unknown {
  const functions = [status('cancelled', cancelled)];
  const all = { github: {}, inputs: {}, needs: {}, matrix: {}, ...contexts };
  const context = JSON.parse(JSON.stringify(all), data.reviver) as data.Dictionary;
  const parser = new Parser(new Lexer(expression).lex().tokens, Object.keys(all), functions);
  const known = new Map(functions.map((each) => [each.name, each]));
  const result = new Evaluator(parser.parse(), context, known).evaluate();
  return JSON.parse(JSON.stringify(result, data.replacer) ?? 'null');
}

/** Whether a value counts as true: what `if` does with it. */
export const truthy = (value: unknown): boolean => value !== '' && Boolean(value);
