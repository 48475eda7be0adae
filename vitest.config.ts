import { globSync } from 'node:fs';
import { basename } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Workspace packages export their sources under the first of these, so tests run without a build. */
const conditions = ['@tocsin/source', 'module', 'node', 'development|production'];

/** For every environment of Vite, because global set-up runs in another one than the tests. */
const sources: Plugin = { name: 'tocsin:sources', configEnvironment: () => ({ resolve: { conditions } }) };

/**
 * Projects whose files leave nothing behind in their process may follow each other in one: half the processor time of a project
 * with many small files went into loading the same modules again. The commands' tests share folders that each file removes.
 */
const isolated: ReadonlySet<string> = new Set(['cli', 'apple-catalog']);

/** Tests that kill and restart things take minutes; they run only when asked for (`npm run chaos`). */
const wantsChaos = process.env['TOCSIN_CHAOS'] === '1';

const packages = globSync([
  'libs/*/package.json',
  'apps/*/package.json',
  'examples/*/package.json',
  'bench/package.json',
])
  .map((file) => file.replace(/[\\/]package\.json$/, ''))
  // A project without test files would fail a run that names it.
  .filter((root) => globSync(`${root}/src/**/*.test.{ts,tsx}`).length > 0)
  .toSorted();

export default defineConfig({
  plugins: [sources],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
    globalSetup: ['./libs/testing/src/global-setup.ts'],
    projects: [
      ...packages.map((root) => ({
        extends: true as const,
        // Files with a database raise these themselves (createTestDatabase).
        test: {
          name: basename(root),
          isolate: isolated.has(basename(root)),
          include: [`${root}/src/**/*.test.{ts,tsx}`],
          testTimeout: 10_000,
          hookTimeout: 10_000,
        },
      })),
      {
        extends: true,
        test: { name: 'e2e', include: ['e2e/**/*.e2e.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
      },
      ...(wantsChaos
        ? [
            {
              extends: true as const,
              test: {
                name: 'chaos',
                include: [
                  'e2e/**/*.chaos.test.ts',
                  'e2e/src/crash-points.e2e.test.ts',
                  'apps/detector/src/schedules-of-writers.db.test.ts',
                ],
                testTimeout: 600_000,
                hookTimeout: 120_000,
              },
            },
          ]
        : []),
    ],
  },
});
