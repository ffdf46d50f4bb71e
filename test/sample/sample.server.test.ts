import { describe, expect, it } from 'vitest';
import { loadSample } from '../../scripts/sample/load.ts';
import { type TestServer, testServer } from '../support/servers.ts';
import { digests, kinds } from './contents.ts';
import { columnTypes, extensions, metricsKinds, shopKinds } from './inventory.ts';

const scale = 0.01;
const rows = 20_053;

async function contentsOf(server: TestServer): Promise<Record<string, string>[]> {
  await using shop = await server.connect('shop');
  await using metrics = await server.connect('metrics');
  return [await digests(shop), await digests(metrics)];
}

describe('the sample', () => {
  let reference: Record<string, string>[] | undefined;

  it.each(['15.17', '13.23', '17.10', '18.4'])('holds the same objects and rows on %s', async (version) => {
    await using server = await testServer(version);
    const said: string[] = [];
    const sample = await loadSample(server, { scale, progress: (text) => said.push(text) });
    expect(sample).toEqual({ databases: ['shop', 'metrics'], rows });
    expect(said).toContain('shop: 2,500 orders');
    expect(said).toHaveLength(21);

    await using shop = await server.connect('shop');
    expect(await kinds(shop)).toEqual(shopKinds);
    await using metrics = await server.connect('metrics');
    expect(await kinds(metrics)).toEqual(metricsKinds);
    for (const [connection, types] of [
      [shop, columnTypes.shop],
      [metrics, columnTypes.metrics],
    ] as const) {
      const found = await connection.query<{ type: string }>(
        'SELECT DISTINCT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid >= 16384',
      );
      expect(found.map(({ type }) => type)).toEqual(expect.arrayContaining([...types]));
      const installed = await connection.query<{ extname: string }>(
        'SELECT extname FROM pg_extension ORDER BY 1',
      );
      expect(installed.map(({ extname }) => extname)).toEqual(extensions);
    }

    const contents = await contentsOf(server);
    reference ??= contents;
    expect(contents).toEqual(reference);
  });

  it('has roles with passwords, memberships and settings', async () => {
    await using server = await testServer('15.17');
    await loadSample(server, { scale, progress: () => {} });
    await using connection = await server.connect();
    expect(
      await connection.query(`SELECT rolname AS name, left(rolpassword, 3) AS password FROM pg_authid
        WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> 'postgres' ORDER BY rolname COLLATE "C"`),
    ).toEqual([
      { name: 'Büro Köln', password: 'SCR' },
      { name: 'analyst', password: 'SCR' },
      { name: 'legacy_app', password: 'md5' },
      { name: 'metrics_owner', password: null },
      { name: 'shop_app', password: 'SCR' },
      { name: 'shop_owner', password: null },
      { name: 'shop_reader', password: null },
    ]);
    const [count] = await connection.query(`SELECT
      (SELECT count(*)::int FROM pg_auth_members WHERE roleid >= 16384) AS memberships,
      (SELECT count(*)::int FROM pg_db_role_setting, unnest(setconfig) WHERE setdatabase = 0) AS role_settings,
      (SELECT count(*)::int FROM pg_db_role_setting WHERE setdatabase > 0 AND setrole > 0) AS role_in_database,
      (SELECT count(*)::int FROM pg_shdescription WHERE classoid = 'pg_authid'::regclass AND objoid >= 16384) AS comments`);
    expect(count).toEqual({ memberships: 5, role_settings: 3, role_in_database: 2, comments: 2 });
  });

  it('has constraints, triggers and policies that do something', async () => {
    await using server = await testServer('15.17');
    await loadSample(server, { scale, progress: () => {} });
    await using shop = await server.connect('shop');
    const refused: [sql: string, state: string][] = [
      [
        `INSERT INTO app.customer (id, token, name, email) VALUES (1, gen_random_uuid(), 'x', 'x@example.com')`,
        '428C9',
      ],
      [`UPDATE app.customer SET email = 'CUSTOMER.2@EXAMPLE.com' WHERE id = 1`, '23505'],
      [`UPDATE app.customer SET email = 'nobody' WHERE id = 1`, '23514'],
      ['UPDATE catalog.product SET gross = 1', '428C9'],
      ['UPDATE app.order_line SET quantity = 0', '23514'],
      ['INSERT INTO app.order_line SELECT 1, now(), 1, 1000, 1, 1', '23503'],
      [
        'INSERT INTO support.room_booking (room, during) SELECT room, during FROM support.room_booking LIMIT 1',
        '23P01',
      ],
    ];
    for (const [sql, state] of refused)
      await expect(shop.query(sql), sql).rejects.toMatchObject({ code: state });

    const [count] = await shop.query(`SELECT
      (SELECT count(*)::int FROM app.orders_default) AS elsewhere,
      (SELECT count(DISTINCT tableoid)::int FROM app.orders) AS partitions,
      (SELECT max(id)::int FROM app.orders) AS last_order,
      (SELECT last_value::int FROM app.order_number) AS order_number,
      (SELECT count(*)::int FROM catalog.price_change) AS prices,
      (SELECT count(*)::int FROM app.status_change) AS statuses,
      (SELECT count(*)::int FROM support.document WHERE digest = sha256(lo_get(content))) AS intact,
      (SELECT max(length(lo_get(content)))::int FROM support.document) AS biggest`);
    expect(count).toEqual({
      elsewhere: 10,
      partitions: 13,
      last_order: 102_500,
      order_number: 102_500,
      prices: 10,
      statuses: 5,
      intact: 24,
      biggest: 19_532 - (19_532 % 32),
    });

    await shop.script(`SET ROLE shop_app; SET app.region = 'north'`);
    expect(await shop.query('SELECT DISTINCT region FROM support.ticket')).toEqual([{ region: 'north' }]);
    await expect(shop.query('DELETE FROM app.ledger')).rejects.toMatchObject({ code: '42501' });
    await shop.script('SET ROLE shop_owner; CREATE TABLE app.later (); SET ROLE shop_reader');
    expect(await shop.query('SELECT FROM app.later')).toEqual([]);
  });
});
