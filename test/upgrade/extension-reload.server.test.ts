/** Loading anew every extension that comes with PostgreSQL: nothing differs afterwards, or it is refused. */
import { expect, test } from 'vitest';
import { extensionSchema } from '../../src/spec/extension-schema.ts';
import { inventoryOf, lostBetween } from '../../src/upgrade/extension-inventory.ts';
import { findExtension } from '../../src/upgrade/extension-look.ts';
import { reloadExtension } from '../../src/upgrade/extension-reload.ts';
import { testServer } from '../support/servers.ts';

const spec = extensionSchema.parse({});

test.each(['13.23', '15.18', '18.4'])('PostgreSQL %s', async (version) => {
  await using server = await testServer(version);
  await using main = await server.connect();
  const names = await main.query<{ name: string }>(
    "SELECT name FROM pg_available_extensions WHERE name !~ 'pl(perl|python|tcl)|uuid-ossp|xml2|adminpack' ORDER BY 1",
  );
  const told: string[] = [];
  for (const { name } of names) {
    await using connection = await server.connect();
    await connection.script('SET search_path = pg_catalog');
    const created = await connection
      .script(`CREATE EXTENSION IF NOT EXISTS "${name}" SCHEMA public CASCADE`)
      .then(
        () => true,
        () =>
          connection.script(`CREATE EXTENSION IF NOT EXISTS "${name}"`).then(
            () => true,
            () => false,
          ),
      );
    if (!created) continue;
    const before = await inventoryOf(connection, (await findExtension(connection, name))?.oid ?? '');
    expect(before.size).toBeGreaterThan(0);
    await using session = await server.connect();
    await session.script('SET search_path = pg_catalog');
    await session.script('BEGIN');
    const failure = await reloadExtension(session, 'postgres', name, spec).then(
      () => null,
      (cause: unknown) => cause as Error,
    );
    await session.script('ROLLBACK');
    const there = await findExtension(session, name);
    const after = await inventoryOf(session, there?.oid ?? '0');
    expect([name, lostBetween(before, after), lostBetween(after, before)]).toEqual([name, [], []]);
    told.push(failure === null ? name : `${name}: ${failure.message}`);
  }
  expect(told.filter((line) => line.includes(': '))).toEqual([]);
  expect(told.length).toBeGreaterThan(25);
  // By now another one needs it.
  await using session = await server.connect();
  await session.script('SET search_path = pg_catalog');
  await session.script('BEGIN');
  await expect(reloadExtension(session, 'postgres', 'cube', spec)).rejects.toMatchObject({
    code: 'extension-reload-refused',
    message: expect.stringContaining('extension earthdistance depends on'),
  });
});
