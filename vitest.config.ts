import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// They import JSON without saying so, which Node refuses and vitest does not.
const inline = [/@actions\/(languageservice|workflow-parser|expressions)/];
// They name source maps of sources that they do not bring along: a warning for each file, and no use.
const withoutMaps = {
  name: 'without-maps',
  enforce: 'pre' as const,
  load: (id: string) =>
    inline.some((each) => each.test(id)) && id.endsWith('.js')
      ? readFileSync(id, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
      : null,
};

const common = { environment: 'node', include: [] as string[], testTimeout: 10_000 };

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [withoutMaps],
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/**/*.server.test.ts',
            'test/e2e/**',
            'test/advice/**',
            'test/docker/**',
            'test/debian/**',
          ],
          server: { deps: { inline } },
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
      {
        test: {
          ...common,
          name: 'docker',
          include: ['test/docker/**/*.test.ts'],
          globalSetup: 'test/docker/setup.ts',
          // They count the containers of the one daemon.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'debian',
          include: ['test/debian/**/*.test.ts'],
          globalSetup: 'test/debian/setup.ts',
          // They measure gaps on few cores.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
    maxWorkers: 2,
  },
});
