import { expect, it } from 'vitest';
import { droppedOutputs, tellDropped } from '../../src/action/dropped-outputs.ts';
import type { Annotation, Log } from '../../src/process/log.ts';
import { createSecrets } from '../../src/process/secrets.ts';

const outputs = { result: 'success', 'plan-digest': `beef${'0'.repeat(60)}`, targets: '[{"name":"orders"}]' };

function told(variables: Record<string, string>, password = ''): [string, string][] {
  const annotations: Annotation[] = [];
  const log = { annotate: (each: Annotation) => void annotations.push(each) } as Log;
  const secrets = createSecrets();
  if (password) secrets.add(password);
  tellDropped(outputs, variables, secrets, log);
  return annotations.map(({ level, message }) => [level, message.split(':')[0] ?? '']);
}

it('tells which outputs the runner drops', () => {
  expect(told({ REPLICAS: '1', NOTHING: '', WORD: 'beefsteak' })).toEqual([]);
  expect(told({ WORD: 'beef' })).toEqual([['error', 'A masked value stands in the output plan-digest']]);
  expect(told({}, 'bee')).toEqual([['error', 'A masked value stands in the output plan-digest']]);
  expect(told({ A: 'orders' })).toEqual([['warning', 'A masked value stands in the output targets']]);
  expect(droppedOutputs(outputs, { A: 'success', B: 'name' }, createSecrets())).toEqual([
    'result',
    'targets',
  ]);
});
