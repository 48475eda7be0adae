import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configJsonSchema } from './config-json-schema.ts';
import { loadText } from './config-file.fixture.ts';

const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\nversion: 1\n([\s\S]*?)```/g)].map(([, text = '']) => text);

const env = {
  SMTP_URL: 'smtps://user:password@mail.example.com',
  SENDGRID_API_KEY: 'SG.key',
  ALERT_EMAIL_TO: 'ada@example.com',
  MAILER_DATABASE_URL: 'postgres://db/mailer',
  DOCUMENTS_JANITOR_URL: 'postgres://janitor@db/documents',
};

describe('docs/configuration.md', () => {
  test('has its examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  test.each(examples.map((text, index) => [index + 1, text] as const))(
    'example %i is a configuration that works as it stands, without a warning',
    (_, text) => {
      const { warnings } = loadText(text, env);
      expect(warnings.filter((warning) => !warning.includes('ALERT_EMAIL_FROM'))).toEqual([]);
    },
  );

  test('names every key of the file', () => {
    const keys = keysOf(configJsonSchema());
    expect(keys.length).toBeGreaterThan(100);
    expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(page))).toEqual([]);
  });
});

/** Every name of a property, at whatever depth. */
function keysOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'properties' in node && typeof node.properties === 'object' ? Object.keys(node.properties ?? {}) : [];
  return [...own, ...Object.values(node).flatMap(keysOf)];
}
