import { defineConfig } from 'vitest/config';

const common = { environment: 'node', include: [] as string[], testTimeout: 10_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.server.test.ts', 'test/e2e/**', 'test/advice/**'],
        },
      },
      {
        test: {
          ...common,
          name: 'server',
          include: ['test/**/*.server.test.ts', 'test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: 'advice',
          include: ['test/advice/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
    maxWorkers: 2,
  },
});
