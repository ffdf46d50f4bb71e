import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { loadSample } from '../../scripts/sample/load.ts';
import { startWriter, type Writer } from '../../scripts/sample/writer.ts';
import { testServer } from '../support/servers.ts';

async function until(writer: Writer, count: number): Promise<void> {
  await vi.waitFor(() => expect(writer.acknowledged().length).toBeGreaterThanOrEqual(count), {
    timeout: 30_000,
  });
}

describe('the writer', () => {
  it('loses nothing that was acknowledged over restarts, and knows how long each took', async () => {
    await using server = await testServer('15.17');
    await loadSample(server, { scale: 0.01, progress: () => {} });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await using writer = await startWriter(server.settings('shop'), { everyMs: 2 });
    await until(writer, 50);
    for (const how of ['fast', 'immediate'] as const) {
      await server.stop(how);
      await sleep(300);
      await server.start();
      await until(writer, writer.acknowledged().length + 50);
    }
    const totals = await writer.stop();
    delay.disable();

    const numbers = writer.acknowledged();
    expect(totals.acknowledged).toBe(numbers.length);
    expect(totals.acknowledged).toBeGreaterThanOrEqual(150);
    expect(totals.attempts).toBeGreaterThanOrEqual(totals.acknowledged);
    expect(totals.failures).toBeGreaterThanOrEqual(2);
    expect(totals.longestGapMs).toBeGreaterThan(300);
    expect(totals.longestGapMs).toBeLessThan(60_000);
    expect(delay.percentile(50) / 1e6).toBeLessThan(50);

    await using shop = await server.connect('shop');
    expect(await writer.verify(shop)).toEqual([]);
    const [row] = await shop.query<{ rows: number }>('SELECT count(*)::int AS rows FROM app.ledger');
    expect(row?.rows).toBeGreaterThanOrEqual(totals.acknowledged);
    expect(row?.rows).toBeLessThanOrEqual(totals.attempts);

    await sleep(50);
    expect(await shop.query('SELECT count(*)::int AS rows FROM app.ledger')).toEqual([row]);
    expect(await writer.stop()).toEqual(totals);

    const lost = [numbers[0], numbers.at(-1)];
    await shop.query('DELETE FROM app.ledger WHERE id = ANY ($1)', [lost]);
    expect(await writer.verify(shop)).toEqual(lost);
  });

  it('goes on from the highest number, and stops at once while the server is down', async () => {
    await using server = await testServer('15.17');
    await using connection = await server.connect();
    await connection.query('CREATE DATABASE shop');
    await expect(startWriter(server.settings('shop'))).rejects.toMatchObject({ code: '42P01' });
    await using shop = await server.connect('shop');
    await shop.script('CREATE SCHEMA app; CREATE TABLE app.ledger (id bigint PRIMARY KEY, at timestamptz)');
    await shop.query('INSERT INTO app.ledger VALUES (41, now())');
    await using writer = await startWriter(server.settings('shop'));
    await until(writer, 3);
    expect(writer.acknowledged().slice(0, 3)).toEqual([42, 43, 44]);
    await server.stop();
    await sleep(200);
    const before = performance.now();
    const totals = await writer.stop();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(totals.longestGapMs).toBeGreaterThanOrEqual(150);
    await expect(startWriter(server.settings('shop'))).rejects.toMatchObject({ code: 'server-down' });
  });
});
