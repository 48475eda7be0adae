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
import { fragmentOf } from './digest-fragment.ts';
import type { Fragment } from './digest-fragment.ts';
import { itemsPerMessageMax, jobsPerItemMax } from './digest-message.ts';
import type { AlertEvent } from './event.ts';
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

  test('orders: escalated, lapsed, new, again, updates, recovered, resolved; the severe and the many first', () => {
    const kinds = ['resolved', 'recovered', 'update', 'again', 'new', 'lapsed', 'escalated'] as const;
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
      fragment(index + 1, fresh, { jobType: `type ${index}` }),
    );
    const [planned] = planMessages(digest, many);
    expect(planned?.items).toHaveLength(itemsPerMessageMax);
    expect(planned).toMatchObject({ omittedAlerts: 7, failures: itemsPerMessageMax + 7 });
    expect(planned?.alertIds).toHaveLength(itemsPerMessageMax + 7);
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
