import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadText } from './config-file.fixture.ts';

/** A file as it was shown in the documentation of an earlier version. They are never changed. */
const old = (version: string) => {
  const text = readFileSync(new URL(`../../fixtures/config/tocsin-${version}.yaml`, import.meta.url), 'utf8');
  const env = {
    SENDGRID_API_KEY: 'SG.key',
    SMTP_URL: 'smtps://u:p@mail.example.com',
    TOCSIN_DETECTOR_PORT: 'off',
    TOCSIN_NOTIFIER_PORT: 'off',
  };
  return loadText(text.replace(/^version: 1\n/, ''), env);
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe.each(['0.1', '0.2'])('a file of version %s', (version) => {
  const config = old(version);

  test('can be used without a warning', () => {
    expect(config.warnings).toEqual([]);
  });

  test('routes as before: no quiet hours, nothing at once, whole digests', () => {
    const digest = { windowMs: 15 * MINUTE_MS, firstAtOnce: false, itemsMax: 100 };
    expect(config.routes).toEqual([
      {
        name: 'data-team',
        match: { source: ['apple', 'spotify'], severity: ['error', 'critical'] },
        channels: ['email'],
        fallback: ['outbox'],
        digest,
        quietHours: [],
        breakThrough: ['critical'],
        escalation: 'second-line',
      },
      {
        name: 'default',
        match: {},
        channels: ['email'],
        fallback: ['oncall'],
        digest,
        quietHours: [],
        breakThrough: ['critical'],
      },
    ]);
  });

  test('escalates as before: one level, not repeated', () => {
    expect(config.escalations).toEqual({
      'second-line': { levels: [{ afterMs: 30 * MINUTE_MS, channels: ['oncall'] }] },
    });
  });

  test('tells by the same channels, as often as there is something to tell', () => {
    expect(config.channels).toMatchObject({
      email: { type: 'sendgrid', to: ['data@example.com'], from: 'tocsin@example.com', apiKey: 'SG.key' },
      oncall: {
        type: 'smtp',
        to: ['oncall@example.com'],
        from: 'tocsin@example.com',
        url: 'smtps://u:p@mail.example.com',
      },
      outbox: { type: 'outbox' },
      console: { type: 'console' },
    });
    for (const channel of Object.values(config.channels)) expect(channel).not.toHaveProperty('rateLimit');
  });

  test('silences nothing, and keeps everything else', () => {
    expect(config).toMatchObject({
      silences: [],
      jobs: [{ name: 'research_jobs', table: 'public.research_jobs', pollMs: 2_000, columns: {}, details: {} }],
      delivery: { attemptTimeoutMs: 30_000, unknownRetryMs: MINUTE_MS },
      retention: { outcomesMs: 400 * DAY_MS, deliveriesMs: 90 * DAY_MS },
      workers: { claimSeconds: 10 },
    });
    expect(config.rules.at(0)).toEqual({ match: { source: ['apple'], jobType: ['refresh_*'] }, severity: 'critical' });
  });
});

test('a file of version 0.2 keeps its deadline, schedules and threshold', () => {
  const config = old('0.2');
  expect(config.chains).toMatchObject([{ name: 'catalog', deadlineMs: 2 * 60 * MINUTE_MS }]);
  expect(config.schedules.map(({ name }) => name)).toEqual(['catalog-weekly', 'catalog-fresh']);
  expect(config.rules[1]).toMatchObject({ threshold: { kind: 'in-a-row', failures: 3 } });
});
