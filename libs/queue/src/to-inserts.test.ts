import { describe, expect, it } from 'vitest';
import { ENQUEUE_JOBS_MAX, PAYLOAD_CHARS_MAX, toInserts } from './to-inserts.ts';

describe('toInserts', () => {
  it('groups jobs by queue and keeps their order', () => {
    const inserts = toInserts(
      [
        { queue: 'signals', data: { n: 1 } },
        { queue: 'timers', data: { n: 2 }, startAfter: '2026-01-31T03:00:00.123456Z' },
        { queue: 'signals', data: { n: 3 } },
      ],
      undefined,
    );
    expect([...inserts]).toEqual([
      ['signals', [{ data: { n: 1 } }, { data: { n: 3 } }]],
      ['timers', [{ data: { n: 2 }, startAfter: '2026-01-31T03:00:00.123456Z' }]],
    ]);
  });

  it('gives each job the claim time that was asked for', () => {
    expect([...toInserts([{ queue: 'signals', data: 1 }], 2)]).toEqual([
      ['signals', [{ data: 1, heartbeatSeconds: 2 }]],
    ]);
  });

  it.each([
    {
      caption: 'too many jobs',
      jobs: Array.from({ length: ENQUEUE_JOBS_MAX + 1 }, () => ({ queue: 'signals' as const, data: 1 })),
      cure: 'send fewer',
    },
    {
      caption: 'a payload that is too long',
      jobs: [{ queue: 'signals' as const, data: 'x'.repeat(PAYLOAD_CHARS_MAX) }],
      cure: 'shorten its texts',
    },
    {
      caption: 'a payload that is none',
      jobs: [{ queue: 'signals' as const, data: undefined }],
      cure: 'give it a payload',
    },
    {
      caption: 'a local time',
      jobs: [{ queue: 'signals' as const, data: 1, startAfter: '2026-01-31T03:00:00+01:00' }],
      cure: 'write a UTC instant',
    },
    {
      caption: 'an interval',
      jobs: [{ queue: 'signals' as const, data: 1, startAfter: '5 minutes' }],
      cure: 'write a UTC instant',
    },
  ])('refuses $caption and says what to do', ({ jobs, cure }) => {
    expect(() => toInserts(jobs, undefined)).toThrow(cure);
  });
});
