/** Bundles what GitHub runs. Output is the same for the same sources: CI compares it with what is checked in. */
import { join } from 'node:path';
import { defineConfig } from 'rolldown';
import * as licensePlugin from 'rollup-plugin-license';

// Its types say `export default`, its CommonJS says `module.exports`.
const license = licensePlugin.default as unknown as typeof licensePlugin.default.default;

/** Licences that MIT code may be shipped with; `MIT/X11` is how old packages write MIT. */
const allowed = new Set([
  'MIT',
  'MIT/X11',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  '(Apache-2.0 AND BSD-3-Clause)',
]);

export default defineConfig({
  input: {
    main: 'src/main.ts',
    post: 'src/post.ts',
    'probe-worker': 'src/postgres/probe-worker.ts',
  },
  platform: 'node',
  // No paths in the bundle: it must be the same wherever node_modules lies.
  experimental: { attachDebugInfo: 'none' },
  // pg asks for its native twin only when NODE_PG_FORCE_NATIVE is set, which nobody does here.
  external: ['pg-native'],
  // Ids of modules, and so the order of imports, must not depend on whether node_modules is a link.
  resolve: {
    symlinks: false,
    alias: { 'unzip-stream': join(import.meta.dirname, 'src/action/no-unzip.ts') },
  },
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[name].js',
    minify: false,
  },
  plugins: [
    license({
      thirdParty: {
        includePrivate: false,
        output: { file: 'dist/licenses.txt', encoding: 'utf-8' },
        allow: {
          test: ({ license: name }: { license: string | null }) => allowed.has(name ?? ''),
          failOnUnlicensed: true,
          failOnViolation: true,
        },
      },
    }),
  ],
});
