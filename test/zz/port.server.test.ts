import { expect, it } from 'vitest';
import { embedded } from '../../src/environments/embedded/embedded.ts';
import { configure, startServer } from '../../src/postgres/server.ts';
import { createSecrets } from '../../src/process/secrets.ts';
import { plainLog } from '../../src/action/log.ts';
import { testServer } from '../support/servers.ts';
it('port in conf only', async () => {
  await using s = await testServer('15.17', { start: false });
  await configure(s.data, { port: String(s.port) });
  await startServer({ binaries: s.binaries, data: s.data, args: [], log: `${s.folder}/l.log`, user: s.user });
  const open = (port: number) => embedded.open({ kind: 'embedded', data: s.data, port }, { log: plainLog(createSecrets(), () => {}), signal: new AbortController().signal, connection: s.settings() });
  expect(await open(s.port).inspect()).toMatchObject({ serving: true });
  await expect(open(s.port + 1).inspect()).rejects.toMatchObject({ code: 'port-mismatch', message: `The cluster in ${s.data} uses port ${s.port}, and environment.port says ${s.port + 1}.` });
});
