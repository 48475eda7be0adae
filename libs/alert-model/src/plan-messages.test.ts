import { describe, expect, test } from 'vitest';
import {
  alertId,
  at,
  batched,
  chainPolicy,
  deliveryId,
  digestId,
  failure,
  given,
  notified,
  opened,
  runOf,
  songs,
} from '../fixtures/builders.ts';
import type { AlertState, Development } from './alert-state.ts';
import { emptyBatch } from './batch.ts';
import { fragmentOf, openFragmentOf } from './digest-fragment.ts';
import type { Fragment } from './digest-fragment.ts';
import type { ItemKind } from './digest-message.ts';
import {
  alertIdsPerItemMax,
  incidentAlertsMin,
  incidentCausesMax,
  incidentJobTypesMax,
  itemsPerMessageMax,
  jobsPerItemMax,
} from './digest-message.ts';
import type { AlertEvent } from './event.ts';
import { kindRank } from './fold-items.ts';
import { planMessages, threadsPerDigestMax } from './plan-messages.ts';

const digest = { id: digestId(50), channels: ['email'] };
const again: AlertEvent[] = [{ ...(opened()[0] as AlertEvent & { type: 'FailureDetected' }) }].map((event) => ({
  ...event,
  data: { ...event.data, opening: null },
}));
const closed: AlertEvent = {
  type: 'AlertResolved',
  occurredAt: at(240),
  data: { reason: 'succeeded', resolvedAt: at(239), by: null, note: null },
};

/** What an alert says in the digest, with an identity of its own. */
const fragment = (number: number, state: AlertState, changes: Partial<Fragment> = {}): Fragment => {
  const found = fragmentOf(state, digest.id);
  if (found === null) throw new Error('The digest holds no news of this alert.');
  return { ...found, alertId: alertId(number), ...changes };
};
const fresh = given(opened(), batched(50));
const toldIn = (thread: number, channel = 'email'): AlertState =>
  given(
    opened(),
    batched(1),
    notified(1, { channel, threadId: digestId(thread), deliveryId: deliveryId(thread) }),
    again,
    batched(50),
  );
const resolvedFor = (...channels: readonly string[]): AlertState =>
  given(
    opened(),
    batched(1),
    ...channels.map((channel, index) => notified(1, { channel, deliveryId: deliveryId(index + 1) })),
    closed,
    batched(50),
  );

describe('fragmentOf', () => {
  test.for([
    ['new', fresh],
    ['again', toldIn(1)],
    ['resolved', resolvedFor('email')],
    ['recovered', given(opened(), batched(50), closed)],
    ['escalated', given(opened(), batched(1), notified(1), batched(50, { purpose: 'escalation' }))],
  ] as const)('says of an alert that it is %s', ([kind, state]) => {
    expect(fragment(1, state).kind).toBe(kind);
  });

  const predecessor = { alertId: alertId(9), resolvedAt: at(0), recentCount: 1 };
  const flapping = { count: 6, withinMs: 7_200_000, holdMs: 1_800_000 };
  const flaps = (): AlertEvent[] =>
    opened().map((event) =>
      event.type === 'FailureDetected' && event.data.opening !== null
        ? { ...event, data: { ...event.data, opening: { ...event.data.opening, predecessor, flapping } } }
        : event,
    );
  const settles: AlertEvent = { type: 'FlappingEnded', occurredAt: at(220), data: { since: at(182) } };
  const silenceId = '50000000-0000-4000-8000-000000000001';
  const silenced: AlertEvent = {
    type: 'AlertSilenced',
    occurredAt: at(190),
    data: { silenceId, by: 'ann', reason: 'deploy', end: { until: 'resolved' }, withdrawn: [digestId(1)] },
  };
  const unsilenced: AlertEvent = {
    type: 'AlertUnsilenced',
    occurredAt: at(200),
    data: { silenceId, cause: 'ended', by: 'bob' },
  };
  const raised: AlertEvent = { type: 'SeverityRaised', occurredAt: at(205), data: { from: 'error', to: 'critical' } };

  test.for([
    ['regressed', given(opened(failure(), undefined, predecessor), batched(50))],
    ['flapping', given(flaps(), batched(50))],
    ['settled', given(flaps(), batched(1), notified(1), settles, batched(50))],
    ['resolved', given(flaps(), batched(1), notified(1), closed, batched(50))],
    ['worse', given(opened(), batched(1), notified(1), again, raised, batched(50))],
    ['unsilenced', given(opened(), batched(1), silenced, unsilenced, batched(50))],
  ] as const)('says of an alert that it is %s, with what the reader has to know', ([kind, state]) => {
    const found = fragment(1, state);
    expect(found.kind).toBe(kind);
    expect(found.flapping).toEqual(state.openedFlapping);
    expect(found.batch.severityBefore).toBe(kind === 'worse' ? 'error' : null);
    expect(found.batch.unsilenced).toEqual(
      kind === 'unsilenced' ? { by: 'ann', reason: 'deploy', endedBy: 'bob' } : null,
    );
  });

  test('does not say of a flapping alert that somebody closed that it has settled', () => {
    const byHand: AlertEvent = { ...closed, data: { reason: 'operator', resolvedAt: at(239), by: 'ann', note: null } };
    expect(fragment(1, given(flaps(), batched(1), notified(1), byHand, batched(50))).flapping).toBeNull();
  });

  test('lists an alert as open for its routes until it is resolved', () => {
    const state = given(opened(), batched(1), notified(1));
    expect(openFragmentOf(state, 'default')).toMatchObject({
      kind: 'open',
      batch: { failures: 0, causes: [{ count: 1 }] },
    });
    expect(openFragmentOf(state, 'other')).toBeNull();
    expect(openFragmentOf(given(opened(), closed), 'default')).toBeNull();
  });

  test('has nothing to say in a digest that holds no news of it', () => {
    expect(fragmentOf(fresh, digestId(51))).toBeNull();
  });

  test('names the steps that did not run, until they have succeeded', () => {
    const signal = failure({
      run: runOf(0),
      runContext: { steps: [{ ...songs, status: 'failed' }], learned: [], lastGreenAt: null },
    });
    const rebuilt: AlertEvent = {
      type: 'SuccessDetected',
      occurredAt: at(230),
      data: {
        outcomeId: signal.outcomeId,
        table: 't',
        jobId: '2',
        jobType: 'rebuild_index',
        targetId: null,
        run: null,
        finishedAt: at(229),
      },
    };
    const events = [...opened(signal, chainPolicy), batched(50)];
    expect(fragment(1, given(events)).chain?.missing).toEqual(['rebuild_index']);
    expect(fragment(1, given(events, rebuilt)).chain?.missing).toEqual([]);
  });
});

describe('planMessages', () => {
  test('makes no message of nothing (4)', () => {
    expect(planMessages(digest, [])).toEqual([]);
  });

  test('begins a conversation of its own for new failures, on every channel of the digest', () => {
    const planned = planMessages({ ...digest, channels: ['email', 'slack'] }, [fragment(1, fresh)]);
    expect(planned.map(({ channel, threadId, followUp }) => [channel, threadId, followUp])).toEqual([
      ['email', digest.id, false],
      ['slack', digest.id, false],
    ]);
  });

  test('continues the conversation in which an alert was told before', () => {
    const planned = planMessages(digest, [fragment(1, fresh), fragment(2, toldIn(7))]);
    expect(planned.map(({ threadId, followUp, alertIds }) => [threadId, followUp, alertIds])).toEqual([
      [digest.id, false, [alertId(1)]],
      [digestId(7), true, [alertId(2)]],
    ]);
  });

  test('merges more conversations than the limit into one new message', () => {
    const told = (count: number): Fragment[] =>
      Array.from({ length: count }, (_, index) => fragment(index + 1, toldIn(index + 1)));
    expect(planMessages(digest, told(threadsPerDigestMax))).toHaveLength(threadsPerDigestMax);
    const [one, ...others] = planMessages(digest, told(threadsPerDigestMax + 1));
    expect(others).toEqual([]);
    expect(one).toMatchObject({ threadId: digest.id, followUp: false });
    expect(one?.alertIds).toHaveLength(threadsPerDigestMax + 1);
  });

  test('sends a resolution to exactly the channels that told of the failure, whatever the channels of the digest are', () => {
    const channels = (state: AlertState): readonly string[] =>
      planMessages({ ...digest, channels: ['email', 'slack'] }, [fragment(1, state)]).map(({ channel }) => channel);
    expect(channels(resolvedFor('slack'))).toEqual(['slack']);
    expect(channels(resolvedFor('email', 'pager'))).toEqual(['email', 'pager']);
  });

  test('does not repeat a resolution to a channel that has it', () => {
    const state = given(
      opened(),
      batched(1),
      notified(1),
      notified(1, { channel: 'slack', deliveryId: deliveryId(2) }),
      closed,
      batched(50),
      {
        type: 'ResolutionNotified',
        occurredAt: at(241),
        data: {
          digestId: digestId(49),
          deliveryId: deliveryId(3),
          route: 'default',
          channel: 'email',
          acceptedAt: at(241),
        },
      },
    );
    expect(planMessages(digest, [fragment(1, state)]).map(({ channel }) => channel)).toEqual(['slack']);
  });

  describe('tells that a condition holds no more', () => {
    const retracted = (jobId: string): Development => ({
      what: 'retracted',
      jobId,
      kind: 'stuck',
      at: at(205),
      detail: 'a sign of life at 03:25',
    });
    const requeued: Development = { ...retracted('1'), what: 'requeued', at: at(203), detail: 'restart 1 of 3' };
    /** An alert with these developments and failures, told before by these channels. */
    const changed = (
      developments: readonly Development[],
      failures: number,
      ...channels: readonly string[]
    ): Fragment => {
      const state = given(
        opened(),
        batched(1),
        ...channels.map((channel, index) => notified(1, { channel, deliveryId: deliveryId(index + 1) })),
        again,
        batched(50),
      );
      const found = fragment(1, state);
      const batch = { ...found.batch, failures, developments };
      return { ...found, kind: failures === 0 ? 'update' : found.kind, batch };
    };
    const messages = (...fragments: readonly Fragment[]) =>
      planMessages({ ...digest, channels: ['email', 'slack'] }, fragments).map(({ channel, failures, items }) => [
        channel,
        items[0]?.first.kind,
        failures,
        items[0]?.developments.map(({ what }) => what),
      ]);

    test('to exactly the channels that told of it, whatever the channels of the digest are', () => {
      expect(messages(changed([retracted('1')], 0, 'email', 'pager'))).toEqual([
        ['email', 'update', 0, ['retracted']],
        ['pager', 'update', 0, ['retracted']],
      ]);
    });

    test('to those who were told by an escalation, without the new failures that are not for them', () => {
      expect(messages(changed([retracted('1'), requeued], 2, 'email', 'pager'))).toEqual([
        ['email', 'again', 2, ['requeued', 'retracted']],
        ['slack', 'again', 2, ['requeued', 'retracted']],
        ['pager', 'update', 0, ['retracted']],
      ]);
    });

    test('together with what the janitor did to the channels of the digest', () => {
      expect(messages(changed([requeued], 0, 'email', 'pager'))).toEqual([
        ['email', 'update', 0, ['requeued']],
        ['slack', 'update', 0, ['requeued']],
      ]);
    });

    test('to the channels of the digest while the message that tells of it is still on its way', () => {
      const onItsWay = { ...changed([retracted('1')], 0), told: [] };
      expect(messages(onItsWay).map(([channel]) => channel)).toEqual(['email', 'slack']);
    });

    test('folded by what happened, with the newest ten and how many more', () => {
      const many = Array.from({ length: 13 }, (_, index) => ({
        ...changed([{ ...requeued, jobId: `${index}`, at: at(200 + index) }], 0, 'email', 'slack'),
        alertId: alertId(index + 1),
      }));
      const other = { ...changed([retracted('1')], 0, 'email', 'slack'), alertId: alertId(20) };
      const [planned] = planMessages(digest, [...many, other]);
      expect(
        planned?.items
          .map(({ fragments, moreDevelopments }) => [fragments, moreDevelopments])
          .toSorted(([a = 0], [b = 0]) => a - b),
      ).toEqual([
        [1, 0],
        [13, 3],
      ]);
      const folded = planned?.items.find(({ fragments }) => fragments === 13);
      expect(folded?.developments.map(({ jobId }) => jobId)).toEqual(Array.from({ length: 10 }, (_, n) => `${n + 3}`));
    });
  });

  test('keeps alerts that ended in different ways apart', () => {
    const resolvedAs = (number: number, reason: 'succeeded' | 'retracted'): Fragment => {
      const found = fragment(number, resolvedFor('email'));
      return { ...found, resolution: { reason, resolvedAt: at(240), by: null, note: null } };
    };
    const [planned] = planMessages(digest, [
      resolvedAs(1, 'succeeded'),
      resolvedAs(2, 'retracted'),
      resolvedAs(3, 'retracted'),
    ]);
    expect(planned?.items.map((item) => item.fragments).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });

  test('folds alerts of the same job type and cause, and keeps chains, predecessors and held alerts apart', () => {
    const same = [1, 2, 3].map((number) => fragment(number, fresh));
    const apart = [
      fragment(4, fresh, { predecessor: { alertId: alertId(9), resolvedAt: at(0), recentCount: 1 } }),
      fragment(5, fresh, { acknowledgedBy: 'ann' }),
      fragment(6, fresh, { severity: 'critical' }),
      fragment(7, fresh, { jobType: 'import' }),
      fragment(8, given(opened(failure({ error: 'another cause' })), batched(50))),
    ];
    const [planned] = planMessages(digest, [...same, ...apart]);
    expect(planned?.items.map((item) => item.fragments).toSorted((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 3]);
  });

  test('orders by what the reader has to do: unanswered, news, changes, what is over; the severe and the many first', () => {
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
    ] as const satisfies readonly ItemKind[];
    expect(kinds.toSorted()).toEqual(Object.keys(kindRank).toSorted());
    const list = kinds.map((kind, index) =>
      fragment(index + 1, fresh, { kind, jobType: kind, told: [], owedResolution: ['email'] }),
    );
    expect(planMessages(digest, list)[0]?.items.map((item) => item.first.kind)).toEqual(kinds.toReversed());
    const severities = (['info', 'critical', 'warning'] as const).map((severity, index) =>
      fragment(index + 1, fresh, { severity }),
    );
    expect(planMessages(digest, severities)[0]?.items.map((item) => item.first.severity)).toEqual([
      'critical',
      'warning',
      'info',
    ]);
  });

  test('shows so many items and counts the alerts beyond them', () => {
    const many = Array.from({ length: itemsPerMessageMax + 7 }, (_, index) =>
      fragment(index + 1, toldIn(1), { jobType: `type ${index}` }),
    );
    const [planned] = planMessages(digest, many);
    expect(planned?.items).toHaveLength(itemsPerMessageMax);
    expect(planned).toMatchObject({ omittedAlerts: 7, failures: itemsPerMessageMax + 7, incident: null });
    expect(planned?.alertIds).toHaveLength(itemsPerMessageMax + 7);
    expect(planMessages(digest, many, 5)[0]).toMatchObject({ items: { length: 5 }, omittedAlerts: 102 });
    expect(planMessages(digest, many, 1_000)[0]?.items).toHaveLength(itemsPerMessageMax);
    expect(planMessages(digest, many, 0)[0]?.items).toHaveLength(1);
  });

  describe('tells many alerts as one incident', () => {
    const storm = { ...digest, purpose: 'storm', storm: { threadId: null } } as const;
    /** An alert with this cause and job type. */
    const failing = (number: number, error: string, changes: Partial<Fragment> = {}): Fragment =>
      fragment(number, given(opened(failure({ error })), batched(50)), changes);
    const letter = (n: number): string => String.fromCharCode(97 + n);

    test('when more are new than a person reads one by one, or the digest is that of a storm', () => {
      const list = (count: number): Fragment[] =>
        Array.from({ length: count }, (_, n) => failing(n + 1, 'HTTP 503', { jobType: `type ${n}` }));
      expect(planMessages(digest, list(incidentAlertsMin))[0]).toMatchObject({
        incident: null,
        items: { length: incidentAlertsMin },
      });
      expect(planMessages(digest, list(incidentAlertsMin + 1))[0]).toMatchObject({
        incident: { keys: incidentAlertsMin + 1, causes: 1 },
        items: [{ fragments: incidentAlertsMin + 1, title: 'apple/type 0 and 30 more job types' }],
      });
      expect(planMessages(storm, list(2))[0]).toMatchObject({ incident: { keys: 2 }, items: [{ fragments: 2 }] });
    });

    test('not when those who hear of it have heard of them before', () => {
      const told = Array.from({ length: 40 }, (_, n) => fragment(n + 1, toldIn(1), { jobType: `type ${n}` }));
      expect(planMessages(digest, told)[0]?.incident).toBeNull();
      const unanswered = told.map((one) => ({ ...one, kind: 'escalated' as const }));
      expect(planMessages(digest, unanswered)[0]?.incident).toMatchObject({ keys: 40 });
    });

    test('by cause, whatever their job types and severities, the worst of which counts', () => {
      const [planned] = planMessages(storm, [
        failing(1, 'HTTP 503', { jobType: 'import', severity: 'warning', since: at(181), lastFailedAt: at(190) }),
        failing(2, 'HTTP 503', { source: 'google', severity: 'critical', since: at(183), lastFailedAt: at(185) }),
        failing(3, 'read timed out'),
        failing(4, 'HTTP 503', { kind: 'regressed' }),
      ]);
      expect(
        planned?.items.map(({ first, severity, fragments, title, failures }) => [
          first.kind,
          severity,
          fragments,
          title,
          failures,
        ]),
      ).toEqual([
        ['new', 'critical', 2, 'apple/import and google/refresh_catalog', 2],
        ['new', 'error', 1, 'apple/refresh_catalog/songs', 1],
        ['regressed', 'error', 1, 'apple/refresh_catalog/songs', 1],
      ]);
      expect(planned?.incident).toEqual({
        keys: 4,
        withinMs: 480_000,
        source: null,
        causes: 2,
        byJobType: [
          { source: 'apple', jobType: 'refresh_catalog', alerts: 2 },
          { source: 'apple', jobType: 'import', alerts: 1 },
          { source: 'google', jobType: 'refresh_catalog', alerts: 1 },
        ],
        moreJobTypes: 0,
        firstFailedAt: at(182),
        lastFailedAt: at(190),
      });
    });

    test('with a bounded number of causes, alerts, job types and samples, and the rest counted', () => {
      const many = Array.from({ length: 2_000 }, (_, n) =>
        failing(n + 1, `error ${letter(n % 20)}`, { jobType: `type ${n % 25}` }),
      );
      const [planned] = planMessages(storm, many);
      expect(planned?.items).toHaveLength(incidentCausesMax);
      expect(planned).toMatchObject({ omittedAlerts: 800, failures: 2_000, alertIds: { length: 2_000 } });
      expect(planned?.incident).toMatchObject({
        causes: 20,
        byJobType: { length: incidentJobTypesMax },
        moreJobTypes: 25 - incidentJobTypesMax,
      });
      for (const item of planned?.items ?? []) {
        expect(item.alertIds).toHaveLength(alertIdsPerItemMax);
        expect(item.samples).toHaveLength(jobsPerItemMax);
      }
    });

    test('with samples of as many job types as there are places', () => {
      const list = Array.from({ length: 60 }, (_, n) =>
        failing(n + 1, 'HTTP 503', { jobType: n < 55 ? 'import' : `type ${n}`, since: at(182 + n) }),
      );
      const sampled = planMessages(storm, list)[0]?.items[0]?.samples.map((sample) => sample.alertId);
      for (const { alertId: rare } of list.slice(55)) expect(sampled).toContain(rare);
    });

    test('in the conversation that the storm began', () => {
      const going = { ...storm, storm: { threadId: digestId(7) } };
      expect(planMessages(going, [failing(1, 'HTTP 503'), fragment(2, toldIn(7))])).toMatchObject([
        { threadId: digestId(7), followUp: true, alertIds: [alertId(1), alertId(2)] },
      ]);
      // News of more conversations than get a message of their own joins it too.
      const told = [8, 9, 10, 11].map((thread) => fragment(thread, toldIn(thread)));
      expect(planMessages(going, told)).toMatchObject([{ threadId: digestId(7), followUp: true }]);
    });

    test('and says how those that were told end, by how they ended', () => {
      const over = Array.from({ length: 40 }, (_, n) =>
        fragment(n + 1, resolvedFor('email'), { jobType: `type ${n}` }),
      );
      expect(planMessages(storm, over)[0]).toMatchObject({
        incident: { keys: 0, byJobType: { length: incidentJobTypesMax } },
        items: [{ fragments: 40, resolution: { reason: 'succeeded' } }],
        resolvedIds: { length: 40 },
      });
    });

    test('with when each cause was first and last seen', () => {
      const cause = fresh.causes[0];
      if (cause === undefined) throw new Error('A cause was expected.');
      const seen = (number: number, firstAt: string, lastAt: string): Fragment =>
        fragment(number, fresh, {
          batch: { ...emptyBatch, failures: 2, causes: [{ ...cause, count: 2, firstAt, lastAt }] },
        });
      const [planned] = planMessages(storm, [
        seen(1, at(190), at(191)),
        seen(2, at(182), at(183)),
        seen(3, at(200), at(230)),
      ]);
      expect(planned?.items[0]?.causes).toEqual([
        { signature: cause.signature, count: 6, firstAt: at(182), lastAt: at(230) },
      ]);
    });
  });

  test('asks for no more samples than jobs are listed', () => {
    const folded = planMessages(
      digest,
      Array.from({ length: 50 }, (_, index) => fragment(index + 1, fresh)),
    );
    expect(folded[0]?.items[0]?.samples).toHaveLength(jobsPerItemMax);
  });

  test('comes to the same plan whatever order the alerts are loaded in', () => {
    const list = [
      fragment(1, fresh),
      fragment(2, fresh, { jobType: 'import' }),
      fragment(3, fresh, { jobType: 'export', severity: 'info' }),
      fragment(4, fresh),
    ];
    const items = (fragments: readonly Fragment[]) =>
      planMessages(digest, fragments)[0]?.items.map((item) => [item.first.jobType, item.fragments]);
    expect(items(list.toReversed())).toEqual(items(list));
  });
});
