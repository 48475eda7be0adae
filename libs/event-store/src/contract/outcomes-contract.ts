import { describe, expect, it } from 'vitest';
import { longAgo, newAlertId, newOutcomeId, success } from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const announced = () => ({
  id: newOutcomeId(),
  table: 'research_jobs',
  jobId: '4711',
  kind: 'failed',
  failedAt: longAgo,
});

export const outcomesContract = (store: ContractStore): void => {
  describe('outcomes', () => {
    it('says which announced outcomes were new, and those only', async () => {
      const [one, two] = [announced(), announced()];
      expect(await store.transaction('announce', (session) => session.announceOutcomes([one, one]))).toEqual(
        new Set([one.id]),
      );
      expect(await store.transaction('announce', (session) => session.announceOutcomes([one, two]))).toEqual(
        new Set([two.id]),
      );
      expect(await store.transaction('announce', (session) => session.announceOutcomes([two, one]))).toEqual(new Set());
    });

    it('takes an announced outcome for unrecorded until it is recorded', async () => {
      const outcome = announced();
      await store.transaction('announce', (session) => session.announceOutcomes([outcome]));
      expect(await store.read((session) => session.recordedOutcomes([outcome.id]))).toEqual(new Set());
      await store.transaction('record', (session) =>
        session.recordOutcomes([{ ...outcome, alertId: newAlertId(), disposition: 'recorded' }]),
      );
      expect(await store.read((session) => session.recordedOutcomes([outcome.id, newOutcomeId()]))).toEqual(
        new Set([outcome.id]),
      );
    });

    it('records an outcome that was never announced, which is then not new to the detector', async () => {
      const outcome = announced();
      const recorded = { ...outcome, alertId: newAlertId(), disposition: 'recorded' } as const;
      await store.transaction('record', (session) => session.recordOutcomes([recorded]));
      await store.transaction('record', (session) => session.recordOutcomes([recorded]));
      expect(await store.transaction('announce', (session) => session.announceOutcomes([outcome]))).toEqual(new Set());
      expect(await store.read((session) => session.recordedOutcomes([outcome.id]))).toEqual(new Set([outcome.id]));
    });

    it('never takes an outcome away from the alert that recorded it', async () => {
      const outcome = announced();
      await store.transaction('record', (session) =>
        session.recordOutcomes([
          { ...outcome, alertId: newAlertId(), disposition: 'recorded' },
          { ...outcome, alertId: null, disposition: 'ignored' },
        ]),
      );
      await store.transaction('record', (session) =>
        session.recordOutcomes([{ ...outcome, alertId: null, disposition: 'quarantined' }]),
      );
      expect(await store.read((session) => session.recordedOutcomes([outcome.id]))).toEqual(new Set([outcome.id]));
    });

    it('takes an ignored outcome for dealt with, and a quarantined one not, so that it can still be recorded', async () => {
      const [ignored, quarantined] = [announced(), announced()];
      await store.transaction('record', (session) =>
        session.recordOutcomes([
          { ...ignored, alertId: null, disposition: 'ignored' },
          { ...quarantined, alertId: null, disposition: 'quarantined' },
        ]),
      );
      const ids = [ignored.id, quarantined.id];
      expect(await store.read((session) => session.recordedOutcomes(ids))).toEqual(new Set([ignored.id]));
      await store.transaction('record', (session) =>
        session.recordOutcomes([{ ...quarantined, alertId: newAlertId(), disposition: 'recorded' }]),
      );
      expect(await store.read((session) => session.recordedOutcomes(ids))).toEqual(new Set(ids));
    });
  });

  describe('outcomes held below a threshold', () => {
    it('takes them for dealt with, and still lets them be recorded or ignored', async () => {
      const [told, given] = [announced(), announced()];
      const ids = [told.id, given.id];
      await store.transaction('announce', (session) => session.announceOutcomes([told, given]));
      await store.transaction('hold', (session) =>
        session.recordOutcomes([told, given].map((held) => ({ ...held, alertId: null, disposition: 'held' }))),
      );
      expect(await store.read((session) => session.recordedOutcomes(ids))).toEqual(new Set(ids));
      expect(await store.read((session) => session.alertsOfOutcomes(ids))).toEqual(new Map());
      const alertId = newAlertId();
      await store.transaction('release', (session) =>
        session.recordOutcomes([
          { ...told, alertId, disposition: 'recorded' },
          { ...given, alertId: null, disposition: 'ignored' },
        ]),
      );
      expect(await store.read((session) => session.recordedOutcomes(ids))).toEqual(new Set(ids));
      expect(await store.read((session) => session.alertsOfOutcomes(ids))).toEqual(new Map([[told.id, alertId]]));
      await store.transaction('again', (session) =>
        session.recordOutcomes([{ ...told, alertId: null, disposition: 'held' }]),
      );
      expect(await store.read((session) => session.alertsOfOutcomes(ids))).toEqual(new Map([[told.id, alertId]]));
    });
  });

  describe('remembered successes', () => {
    it('gives the successes of the keys asked for, the oldest first, each once', async () => {
      const key = `job/${newAlertId()}`;
      const [late, early] = [
        success({ finishedAt: '2026-01-05T05:00:00Z' }),
        success({ finishedAt: '2026-01-05T04:00:00Z' }),
      ];
      for (let time = 0; time < 2; time += 1) {
        await store.transaction('remember', (session) =>
          session.rememberSuccesses([
            { key, signal: late },
            { key, signal: early },
            { key: `other ${key}`, signal: success() },
          ]),
        );
      }
      expect(await store.read((session) => session.recentSuccesses([key, 'no such key']))).toEqual([
        { key, signal: early },
        { key, signal: late },
      ]);
    });

    it('remembers one success under its own key and under that of its chain', async () => {
      const [own, chain] = [`job/${newAlertId()}`, `chain/${newAlertId()}`];
      const signal = success();
      await store.transaction('remember', (session) =>
        session.rememberSuccesses([
          { key: own, signal },
          { key: chain, signal },
        ]),
      );
      expect(await store.read((session) => session.recentSuccesses([own, chain]))).toEqual([
        { key: chain, signal },
        { key: own, signal },
      ]);
    });
  });
};
