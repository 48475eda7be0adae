import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';
import { bodyBytesMax, bodyBytesWanted, webhookBody } from './webhook-body.ts';

const envelope = { id: 'delivery', source: 'tocsin' };
const parsed = (body: string) =>
  JSON.parse(body) as {
    data: { items: { alertId: string; title: string; causes: unknown[] }[]; omittedAlerts: number };
  };

describe('the body of a webhook', () => {
  test('holds a small message as it is', () => {
    const { message } = sampleOutgoing();
    expect(parsed(webhookBody(message, envelope)).data).toEqual(message);
  });

  test.each([
    ['long texts', 'x'],
    ['wide script', '語'],
    ['emoji', '😀'],
    ['quotes and backslashes, which JSON writes twice', '"\\'],
    ['controls', '\u0000\u001b[31m\u202e'],
  ])('with a hundred of the largest items of %s keeps to the hard limit and accounts for all', (_caption, piece) => {
    const long = piece.repeat(2_000);
    const items = Array.from({ length: 100 }, (_, index) =>
      sampleItem({
        alertId: `alert-${index}`,
        alerts: 3,
        title: long,
        source: long,
        jobType: long,
        targetId: long,
        causes: Array.from({ length: 8 }, () => ({
          signature: long,
          error: long,
          count: 1,
          jobs: Array.from({ length: 10 }, () => ({
            table: long,
            jobId: long,
            source: long,
            jobType: long,
            targetId: long,
            kind: 'failed',
            attempts: 1,
            maxAttempts: 1,
            failedAt: '2026-11-16T03:02:41Z',
            notes: [long],
            adminUrl: `https://x.example/${'a'.repeat(1_900)}`,
          })),
          moreJobs: 0,
        })),
        details: {
          stage: long,
          progress: 5,
          counts: null,
          startedAt: null,
          heartbeatAt: null,
          fields: Object.fromEntries(Array.from({ length: 20 }, (__, n) => [`field_${n}`, long])),
        },
      }),
    );
    const body = webhookBody(sampleOutgoing({ items, omittedAlerts: 5 }).message, envelope);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(bodyBytesMax);
    const { data } = parsed(body);
    expect(data.items.length * 3 + data.omittedAlerts).toBe(305);
    expect(data.items.length).toBeGreaterThan(0);
  });

  test('that is a little too large loses detail and no alert', () => {
    const items = Array.from({ length: 25 }, (_, index) =>
      sampleItem({
        alertId: `alert-${index}`,
        causes: Array.from({ length: 4 }, () => ({
          signature: 's1:x',
          error: 'e'.repeat(300),
          count: 1,
          jobs: [],
          moreJobs: 0,
        })),
      }),
    );
    const body = webhookBody(sampleOutgoing({ items }).message, envelope);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(bodyBytesWanted);
    expect(parsed(body).data.items.map(({ alertId }) => alertId)).toEqual(items.map(({ alertId }) => alertId));
    expect(parsed(body).data.omittedAlerts).toBe(0);
  });
});
