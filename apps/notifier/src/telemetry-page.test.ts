import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { auditChecks } from '@tocsin/alert-service';
import { createMetrics } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { createNotifierMetrics } from './notifier-metrics.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/telemetry.md'), 'utf8');
const section = /## Of the notifier\n([^]*?)\n## /.exec(page)?.[1] ?? '';

const made = async (): Promise<readonly string[]> => {
  const metrics = createMetrics();
  createNotifierMetrics(metrics, { query: () => Promise.reject(new Error('no database')) });
  const { text } = await metrics.read();
  return [...text.matchAll(/^# TYPE (tocsin_\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
};

test('the page on telemetry names every metric of the notifier, and no other', async () => {
  const documented = [...section.matchAll(/^\| `(tocsin_\w+)`\s+\| (\w+)/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const own = (await made()).filter((name) => !name.startsWith('tocsin_metrics_complete'));
  expect(documented.toSorted()).toEqual(own.toSorted());
});

test('it names every check of the audit', () => {
  for (const check of auditChecks) expect(section).toContain(check);
});

test('its rules ask for metrics that there are', async () => {
  const rules = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';
  const asked = new Set([...rules.matchAll(/\btocsin_\w+/g)].map(([name]) => name));
  expect(asked.size).toBeGreaterThan(5);
  const known = [...page.matchAll(/^\| `(tocsin_\w+)`/gm)].map(([, name]) => name);
  expect([...asked].filter((name) => !known.includes(name))).toEqual([]);
});
