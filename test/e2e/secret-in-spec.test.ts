/** Somebody wrote a webhook's URL into the spec: no annotation, log or summary repeats any of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { target } from './support.ts';

test('a secret in the spec is told by its length', async () => {
  await using orders = await target('15.17', '15.18');
  await writeFile(
    join(orders.workspace, 'secret.yaml'),
    `version: 1
channels: { team: { slack: "https://hooks.slack.com/services/T0HUNTER/B0/hunter2" } }
targets:
  - name: orders
    postgres: "15.18"
    connection: postgresql://ops:hunter2@db1.example/orders
    environment: { kind: embedded, data: /srv/orders, port: 5432 }
`,
  );
  await using result = await orders.run('plan', { inputs: { spec: 'secret.yaml' } });
  const errors = result.annotations.filter(({ level }) => level === 'error');
  expect(errors.map(({ message }) => message.split('\n')[0]).sort()).toEqual([
    'secret.yaml:2:28 channels.team.slack is a text of 52 characters: write env:NAME: the name of an environment variable, never the secret itself.',
    'secret.yaml:6:17 targets[0].connection is a text of 43 characters: write env:NAME: the name of an environment variable, never the secret itself.',
  ]);
  expect(result.summary).toContain('a text of 52 characters');
  expect(`${result.summary}${result.rawLog}${JSON.stringify(result.annotations)}`).not.toMatch(
    /hunter|hooks\.slack|db1\.example/i,
  );
});
