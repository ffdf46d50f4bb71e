import { expect, test } from 'vitest';
import { nodeFault } from '../src/node.ts';

test('Node 24 and newer are fine, older ones are told', () => {
  expect(nodeFault('24.21.0')).toBeNull();
  expect(nodeFault('26.0.1')).toBeNull();
  expect(nodeFault('20.20.2')).toBe(
    'Postgres Upgrade needs Node 24 or newer, and this is 20.20.2. Install it, or run it as a GitHub Action.',
  );
});
