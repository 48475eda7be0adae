import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createMetrics } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { createDetectorMetrics } from './detector-metrics.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/telemetry.md'), 'utf8');
const section = /## Of the detector\n([^]*?)\n## /.exec(page)?.[1] ?? '';

test('the page on telemetry names every metric of the detector, and no other', async () => {
  const metrics = createMetrics();
  createDetectorMetrics(metrics);
  const { text } = await metrics.read();
  const made = [...text.matchAll(/^# TYPE (tocsin_\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  const documented = [...section.matchAll(/^\| `(tocsin_\w+)`\s+\| (\w+)/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  expect(documented.toSorted()).toEqual(made.filter((name) => !name.startsWith('tocsin_metrics_complete')).toSorted());
});
