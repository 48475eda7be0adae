import type { MessageItem } from '@tocsin/alert-model';
import { describe, expect, test } from 'vitest';
import { renderDigest } from './render-digest.ts';
import { sampleCause, sampleItem, sampleJob, sampleMessage } from './sample-messages.ts';
import { seen } from './seen.fixture.ts';

const flapping = { count: 6, withinMs: 7_200_000, holdMs: 1_800_000 } as const;
const resolution = { resolvedAt: '2026-11-16T03:05:00Z', reason: 'succeeded', by: null, downtimeMs: 240_000 } as const;

/** Both parts of a mail with this one item, each as one line. */
const partsOf = async (change: Partial<MessageItem>): Promise<readonly string[]> => {
  const { html, text } = await renderDigest(sampleMessage({ items: [sampleItem(change)] }));
  return [seen(html), text.replace(/\s+/g, ' ')];
};

describe('each kind of news', () => {
  test.each<[string, Partial<MessageItem>, RegExp, string]>([
    [
      'a flapping alert',
      { kind: 'flapping', flapping },
      /comes and goes/i,
      'It came and went 6 times in 2 h. You hear of it again when it has been fine, or broken, for 30 min without a break.',
    ],
    [
      'one that stays broken',
      { kind: 'settled', flapping },
      /keeps failing/i,
      'It came and went 6 times in 2 h, and has now failed for 30 min without a break. From now on you hear of it as usual.',
    ],
    [
      'one that has settled',
      { kind: 'resolved', flapping, resolution },
      /working again/i,
      'It came and went 6 times in 2 h, and has been fine for 30 min since.',
    ],
    [
      'a problem that is back',
      {
        kind: 'regressed',
        predecessor: { alertId: 'b', resolvedAt: '2026-11-14T04:10:00.000000Z', recentCount: 2 },
      },
      /back again/i,
      'Again: third time in seven days; the last one was resolved on Saturday 14 Nov, 04:10 UTC.',
    ],
    [
      'one that got worse',
      { kind: 'worse', severity: 'critical', severityBefore: 'warning' },
      /worse than before/i,
      'was warning',
    ],
    [
      'what happened under a silence',
      { kind: 'unsilenced', silence: { by: 'ann', reason: 'deploy', endedBy: null } },
      /after a silence/i,
      'It was silenced by ann (deploy), so nobody was told. That silence is over.',
    ],
    [
      'what happened under a silence that somebody ended',
      { kind: 'unsilenced', silence: { by: 'ann', reason: null, endedBy: 'bob' } },
      /after a silence/i,
      'It was silenced by ann, so nobody was told. bob ended that silence.',
    ],
    [
      'an acknowledgement that held for some failures',
      {
        kind: 'lapsed',
        failures: 5,
        lapse: { by: 'ann', acknowledgedAt: '2026-11-16T01:00:00Z', reason: 'failures' },
      },
      /acknowledgement ended/i,
      'Acknowledged by ann on Monday 16 Nov, 01:00 UTC until it fails too often: that ended, after 5 more failures.',
    ],
    [
      'a repeated escalation',
      {
        kind: 'escalated',
        escalation: {
          level: 3,
          repeat: 2,
          name: 'on-call',
          afterMs: 5_400_000,
          toldBefore: [{ channel: 'email', at: '2026-11-16T02:37:04.000000Z' }],
        },
      },
      /nobody has acknowledged/i,
      'Nobody acknowledged within 1 h 30 min, so everybody is told again (on-call, second repeat). Told before: email at 02:37 UTC.',
    ],
  ])('says of %s what it means for the reader', async (_, change, heading, words) => {
    for (const part of await partsOf(change)) {
      expect(part).toMatch(heading);
      // Labels stand in capitals in the text part.
      expect(part.toLowerCase()).toContain(words.toLowerCase());
    }
  });

  test('stand in the order of urgency', async () => {
    const kinds = [
      'resolved',
      'recovered',
      'open',
      'update',
      'unsilenced',
      'again',
      'worse',
      'regressed',
      'new',
      'flapping',
      'settled',
      'lapsed',
      'escalated',
    ] as const;
    const { html } = await renderDigest(
      sampleMessage({
        items: kinds.map((kind) =>
          sampleItem({ kind, resolution: kind === 'resolved' || kind === 'recovered' ? resolution : null }),
        ),
      }),
    );
    expect([...html.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1])).toEqual([
      'Nobody has acknowledged',
      'Acknowledgement ended',
      'Keeps failing',
      'Comes and goes',
      'New',
      'Back again',
      'Worse than before',
      'Failing again',
      'After a silence',
      'Since it was told',
      'Still open',
      'Failed and recovered',
      'Working again',
    ]);
  });
});

describe('the facts', () => {
  test('say when a cause was first and last seen, where it was seen more than once', async () => {
    const item = {
      failures: 4,
      causes: [
        sampleCause({
          count: 3,
          firstSeenAt: '2026-11-16T02:57:00Z',
          lastSeenAt: '2026-11-16T03:02:41Z',
          jobs: [sampleJob(), sampleJob({ jobId: '9' })],
        }),
        sampleCause({
          error: 'KeyError: 7',
          firstSeenAt: '2026-11-16T03:01:00Z',
          lastSeenAt: '2026-11-16T03:01:00Z',
        }),
      ],
    };
    for (const part of await partsOf(item)) {
      expect(part).toContain('3 failures, first 02:57 UTC, last 03:02 UTC');
      expect(part).toContain('1 failure');
      expect(part).not.toContain('first 03:01');
    }
  });

  test('name the job, how far it was, and what the mapping names beside', async () => {
    const details = {
      stage: 'tiles_generated',
      progress: 62,
      counts: null,
      startedAt: null,
      heartbeatAt: null,
      fields: { source_url: 'https://feeds.example.com/songs.xml', constructor: '' },
    };
    for (const part of await partsOf({ details })) {
      expect(part).toMatch(/Job:? 4711/);
      expect(part).toMatch(/Stage:? tiles_generated, 62 %/);
      expect(part).toMatch(/source_url:? https:\/\/feeds\.example\.com\/songs\.xml/);
      expect(part).not.toContain('constructor');
    }
    const noted = sampleJob({ notes: ['It was at tiles_generated, 62 %.'] });
    const [html = ''] = await partsOf({ details, causes: [sampleCause({ jobs: [noted] })] });
    expect(html.match(/tiles_generated/g)).toHaveLength(1);
  });

  test('take all alerts of an item with one command, as long as a person can copy it', async () => {
    const ids = ['3f2a9c1e-1', '4f2a9c1e-1', '5f2a9c1e-1'];
    for (const part of await partsOf({ alerts: 3, alertIds: ids }))
      expect(part).toContain('Acknowledge all 3: npx tocsin alerts ack 3f2a9c1e 4f2a9c1e 5f2a9c1e');
    for (const part of await partsOf({ alerts: 4, alertIds: ids }))
      expect(part).toContain('Acknowledge the first of 4: npx tocsin alerts ack 3f2a9c1e');
  });
});

describe('all quiet', () => {
  const quiet = { purpose: 'heartbeat', severity: 'info', notices: [] } as const;

  test('with nothing open is one sentence', async () => {
    const { text, html } = await renderDigest(
      sampleMessage({
        ...quiet,
        subject: 'All quiet',
        headline: 'All quiet: nothing is open, and Tocsin is watching.',
        items: [],
        totals: { failures: 0, alerts: 0, resolved: 0, stillOpen: 0 },
      }),
    );
    expect(seen(html)).toBe(
      'All quiet: nothing is open, and Tocsin is watching. Mon 16 Nov, 03:07 UTC Sent by Tocsin, route catalog-team. All times are UTC.',
    );
    expect(text).toMatch(/^All quiet: nothing is open, and Tocsin is watching\.\n\nMon 16 Nov, 03:07 UTC\n/);
  });

  test('lists what is open, since when and who has it, without errors it was not given', async () => {
    const open = sampleItem({
      kind: 'open',
      failures: 0,
      occurrences: 3,
      acknowledgedBy: 'ann',
      causes: [sampleCause({ error: null, count: 3, jobs: [], moreJobs: 3 })],
    });
    const message = sampleMessage({
      ...quiet,
      subject: 'All quiet, 1 open',
      headline: 'Nothing new. 1 alert is still open, the oldest since Mon 16 Nov 03:02 UTC.',
      items: [open],
      totals: { failures: 0, alerts: 1, resolved: 0, stillOpen: 1 },
    });
    const { html, text } = await renderDigest(message);
    for (const part of [seen(html), text.replace(/\s+/g, ' ')]) {
      expect(part).toMatch(/still open/i);
      expect(part).toContain('by ann');
      expect(part).toContain('3 since it began');
      expect(part).not.toMatch(/no error text|3 jobs/i);
    }
  });
});
