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
  SLACK_BOT_TOKEN: 'xoxb-1',
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x',
  PAGERDUTY_ROUTING_KEY: 'R0'.padEnd(32, 'a'),
  WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  SENTRY_DSN: 'https://key@o1.ingest.sentry.io/42',
  DOCUMENTS_JANITOR_URL: 'postgres://janitor@db/documents',
};

describe('docs/configuration.md', () => {
  test('has its examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(11);
  });

  test.each(examples.map((text, index) => [index + 1, text] as const))(
    'example %i is a configuration that works as it stands, without a warning',
    (_, text) => {
      const { warnings } = loadText(text, env);
      // The environment of this test has something for every example.
      expect(warnings.filter((warning) => !/^ALERT_EMAIL_FROM|^[A-Z_]+ is set, but no channel/.test(warning))).toEqual(
        [],
      );
    },
  );

  test('names every key of the file', () => {
    const keys = keysOf(configJsonSchema());
    expect(keys.length).toBeGreaterThan(170);
    expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(page))).toEqual([]);
  });
});

/** Every name of a property, at whatever depth. */
function keysOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'properties' in node && typeof node.properties === 'object' ? Object.keys(node.properties ?? {}) : [];
  return [...own, ...Object.values(node).flatMap(keysOf)];
}
