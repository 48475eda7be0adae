import { describe, expect, test } from 'vitest';
import { alertId, at, batched, digestId, failure, given, notified, opened } from '../fixtures/builders.ts';
import { composeHeartbeat, composeMessage, sampleKey } from './compose-message.ts';
import type { Composition, Sample } from './compose-message.ts';
import { fragmentOf, openFragmentOf } from './digest-fragment.ts';
import type { Fragment } from './digest-fragment.ts';
import type { DigestMessage } from './digest-message.ts';
import type { AlertEvent } from './event.ts';
import type { FailureSignal } from './signal.ts';
import { planMessages } from './plan-messages.ts';

const digest = { id: digestId(50), route: 'default', purpose: 'window', channels: ['email'] } as const;
const samples = new Map<string, Sample>();

/** The events of an alert of its own about this failure, which is remembered as a sample. */
const alertOf = (number: number, changes: Partial<FailureSignal> = {}): readonly AlertEvent[] =>
  opened(failure(changes)).map((event, index) => {
    if (event.type !== 'FailureDetected') return event;
    const data = { ...event.data, alertId: alertId(number) };
    samples.set(sampleKey({ alertId: alertId(number), version: index + 1 }), data);
    return { ...event, data };
  });
const fresh = (number: number, changes: Partial<FailureSignal> = {}): Fragment => {
  const fragment = fragmentOf(given(alertOf(number, changes), batched(50)), digest.id);
  if (fragment === null) throw new Error('The digest holds no news of this alert.');
  return fragment;
};
const composed = (fragments: readonly Fragment[], changes: Partial<Composition> = {}): DigestMessage => {
  const [planned] = planMessages(digest, fragments);
  if (planned === undefined) throw new Error('There is nothing to tell.');
  return composeMessage(digest, planned, {
    samples,
    threadSubject: null,
    adminUrl: 'https://admin.example/{target_id}',
    publicUrl: 'https://tocsin.example/',
    stillOpen: 2,
    now: at(200),
    ...changes,
  });
};

describe('an item', () => {
  const details = {
    stage: 'tiles',
    progress: 62,
    counts: null,
    startedAt: null,
    heartbeatAt: null,
    fields: { document_id: '7' },
  };

  test('of one alert carries what its row says, its page, and when each cause was seen', () => {
    expect(composed([fresh(1, { details })]).items).toMatchObject([
      {
        alertIds: [alertId(1)],
        details,
        tocsinUrl: `https://tocsin.example/alerts/${alertId(1)}`,
        adminUrl: 'https://admin.example/songs',
        causes: [{ count: 1, firstSeenAt: at(182), lastSeenAt: at(182), jobs: [{ jobId: '4711' }] }],
        silence: null,
        flapping: null,
        severityBefore: null,
      },
    ]);
  });

  test('of several names them, links to their list, and says of them what is true of all', () => {
    const { items } = composed([
      fresh(1, { details, failedAt: at(182), targetId: 'a' }),
      fresh(2, { failedAt: at(190), targetId: 'b' }),
    ]);
    expect(items).toMatchObject([
      {
        alerts: 2,
        alertIds: [alertId(1), alertId(2)],
        title: 'apple/refresh_catalog',
        targetId: null,
        details: null,
        tocsinUrl: `https://tocsin.example/alerts?digest=${digest.id}`,
        causes: [{ count: 2, firstSeenAt: at(182), lastSeenAt: at(190), jobs: [{}, {}] }],
      },
    ]);
  });
});

describe('a message', () => {
  test('counts what is open in its conversation, itself included', () => {
    expect(composed([fresh(1), fresh(2)]).threadOpen).toBe(2);
    expect(composed([fresh(1)], { openInThread: 3 }).threadOpen).toBe(4);
    const closed: AlertEvent = {
      type: 'AlertResolved',
      occurredAt: at(199),
      data: { reason: 'succeeded', resolvedAt: at(198), by: null, note: null },
    };
    const over = fragmentOf(given(alertOf(1), batched(1), notified(1), closed, batched(50)), digest.id);
    expect(composed(over === null ? [] : [over], { openInThread: 3 }).threadOpen).toBe(3);
  });

  test('of an incident says so as a whole and by cause', () => {
    const message = composed(
      Array.from({ length: 40 }, (_, n) =>
        fresh(n + 1, { jobType: n % 2 === 0 ? 'import' : 'export', error: n < 30 ? 'HTTP 503' : 'read timed out' }),
      ),
    );
    expect(message).toMatchObject({
      subject: '40 apple jobs of 2 types failed: 2 causes',
      headline: '40 apple jobs of 2 types failed, Mon 2 Mar 03:02 UTC. 30: HTTP 503; 10: read timed out.',
      incident: { keys: 40, causes: 2, source: 'apple', moreJobTypes: 0 },
      items: [
        { alerts: 30, failures: 30, chain: null, causes: [{ error: 'HTTP 503', moreJobs: 20 }] },
        { alerts: 10, failures: 10, causes: [{ error: 'read timed out', moreJobs: 0 }] },
      ],
    });
  });

  test('of few alerts is no incident', () => {
    expect(composed([fresh(1)]).incident).toBeNull();
  });

  test('is the same for the same input', () => {
    const fragments = [fresh(1), fresh(2, { jobType: 'import' })];
    expect(composed(fragments)).toEqual(composed(fragments.toReversed()));
  });
});

describe('the all quiet message', () => {
  const open = (number: number, changes: Partial<FailureSignal> = {}, more: Partial<Fragment> = {}): Fragment => {
    const fragment = openFragmentOf(given(alertOf(number, changes), batched(1), notified(1)), 'default');
    if (fragment === null) throw new Error('The alert is open.');
    return { ...fragment, ...more };
  };
  const quiet = (fragments: readonly Fragment[], changes: Partial<Parameters<typeof composeHeartbeat>[1]> = {}) =>
    composeHeartbeat(digest, { open: fragments, adminUrl: null, publicUrl: null, now: at(600), ...changes });

  test('says that nothing is open', () => {
    expect(quiet([])).toEqual({
      v: 1,
      digestId: digest.id,
      threadId: digest.id,
      route: 'default',
      purpose: 'heartbeat',
      subject: 'All quiet',
      headline: 'All quiet: nothing is open, and Tocsin is watching.',
      followUp: false,
      severity: 'info',
      items: [],
      omittedAlerts: 0,
      totals: { failures: 0, alerts: 0, resolved: 0, stillOpen: 0 },
      incident: null,
      threadOpen: 0,
      notices: [],
      composedAt: at(600),
    });
  });

  test('lists what is open, the most severe first, and counts the rest', () => {
    const message = quiet(
      [
        open(1, { jobType: 'a' }, { severity: 'warning' }),
        open(2, { jobType: 'b' }, { severity: 'critical' }),
        open(3, { jobType: 'c' }),
      ],
      { itemsMax: 2, openAlerts: 12 },
    );
    expect(message).toMatchObject({
      subject: 'All quiet, 12 open',
      headline: 'Nothing new. 12 alerts are still open, 1 of them critical, the oldest since Mon 2 Mar 03:02 UTC.',
      severity: 'info',
      items: [
        { kind: 'open', severity: 'critical', failures: 0, occurrences: 1 },
        { kind: 'open', severity: 'error' },
      ],
      omittedAlerts: 10,
      totals: { failures: 0, stillOpen: 12 },
    });
  });

  test('of many is a list all the same, and tells of causes where it has samples', () => {
    const many = Array.from({ length: 50 }, (_, n) => open(n + 1, { jobType: `type ${n}` }));
    expect(quiet(many)).toMatchObject({ incident: null, items: { length: 50 } });
    expect(quiet(many).items[0]?.causes).toMatchObject([{ error: null, count: 1, jobs: [] }]);
    expect(quiet(many, { samples }).items[0]?.causes).toMatchObject([{ error: 'HTTP 503 from the source' }]);
  });
});
