import { describe, expect, it } from 'vitest';
import { plainLog } from '../../src/action/log.ts';
import type { Annotation } from '../../src/process/log.ts';
import { run } from '../../src/process/run.ts';
import { createSecrets } from '../../src/process/secrets.ts';

const place = { file: 'spec.yaml', line: 4, column: 15 };

describe('plainLog', () => {
  function plain(): { lines: string[]; log: ReturnType<typeof plainLog> } {
    const lines: string[] = [];
    const secrets = createSecrets();
    secrets.add('hunter2');
    return { lines, log: plainLog(secrets, (line) => lines.push(line)) };
  }

  it('writes lines without secrets and without commands', () => {
    const { lines, log } = plain();
    log.info('login with hunter2');
    log.info('::error::from a server');
    log.startGroup('1/2 Back up\u001b[2J');
    log.endGroup();
    expect(lines).toEqual(['login with ***', ': :error::from a server', '\n1/2 Back up\ufffd[2J']);
  });

  it('writes annotations with their place, further lines indented', () => {
    const { lines, log } = plain();
    const annotation: Annotation = {
      level: 'error',
      title: 'spec-value',
      message: 'is 15.2\nquote it',
      place,
    };
    log.annotate(annotation);
    log.annotate({ level: 'warning', title: 'orders', message: 'hunter2' });
    log.annotate({ level: 'notice', title: 'orders', message: 'starts' });
    expect(lines).toEqual([
      'error: spec.yaml:4:15 spec-value: is 15.2\n  quote it',
      'warning: orders: ***',
      'note: orders: starts',
    ]);
  });

  it('writes progress now and then', () => {
    const { lines, log } = plain();
    for (const line of ['one', 'two', 'three']) log.progress(line);
    expect(lines).toEqual(['… one']);
  });
});

describe('githubLog', () => {
  /** What a runner reads from a process that says this. */
  async function said(script: string): Promise<string[]> {
    const program = `
      import { githubLog } from './src/action/log.ts';
      import { createSecrets } from './src/process/secrets.ts';
      const secrets = createSecrets();
      secrets.add('hunter2');
      const log = githubLog(secrets);
      ${script}`;
    const { code, stdout, stderr } = await run(
      [process.execPath, '--input-type=module-typescript', '--eval', program],
      { cwd: process.cwd() },
    );
    expect([code, stderr]).toEqual([0, '']);
    return stdout.split('\n').slice(0, -1);
  }

  it('speaks in workflow commands, and lets nobody else do so', async () => {
    const lines = await said(`
      log.info('login with hunter2');
      log.info('::error::from a server\\n##[group]x');
      log.progress('dumping'); log.progress('dumping');
      log.startGroup('1/2 Back up'); log.endGroup();
      log.annotate({ level: 'error', title: 'a,b: hunter2', message: 'one\\n::warning::two', place: ${JSON.stringify(place)} });
      log.annotate({ level: 'notice', title: 't', message: 'm' });`);
    expect(lines).toEqual([
      'login with ***',
      ': :error::from a server',
      '# #[group]x',
      '… dumping',
      '::group::1/2 Back up',
      '::endgroup::',
      '::error title=a%2Cb%3A ***,file=spec.yaml,line=4,col=15::one%0A: :warning::two',
      '::notice title=t::m',
    ]);
  });

  it('makes ten annotations of each level, says so in the last, and prints the others', async () => {
    const lines = await said(`
      for (let index = 1; index <= 12; index += 1)
        for (const level of ['error', 'warning'] as const) log.annotate({ level, title: 't', message: String(index) });`);
    for (const level of ['error', 'warning']) {
      expect(lines.filter((line) => line.includes(level))).toEqual([
        ...Array.from({ length: 9 }, (_, index) => `::${level} title=t::${index + 1}`),
        `::${level} title=t::10%0AFurther ones are in the log and the report only.`,
        `${level}: t: 11`,
        `${level}: t: 12`,
      ]);
    }
  });
});
