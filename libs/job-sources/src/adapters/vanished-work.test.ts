import { SuccessSignal } from '@tocsin/alert-model';
import { expect, it } from 'vitest';
import { backgroundJobsMapping } from './background-jobs-mapping.ts';
import { graphileWorkerMapping } from './graphile-worker-mapping.ts';
import type { PresentJob, VanishedWorkMemory, WorkLook } from './vanished-work.ts';
import { idsToAsk, noteLook, rememberedJobsMax, rememberedPerWorkMax, vanishingMeansSuccess } from './vanished-work.ts';

const at = (minute: number): string => `2026-11-23T10:${String(minute).padStart(2, '0')}:00.000000Z`;

const job = (changes: Partial<PresentJob> = {}): PresentJob => ({
  id: '7',
  state: 'running',
  forGood: false,
  source: 'default',
  jobType: 'send_mail',
  targetId: null,
  run: null,
  dueAt: at(1),
  createdAt: at(1),
  ...changes,
});

const work = { source: 'default', jobType: 'send_mail', target: { id: null }, since: at(2) } as const;

const nothing: VanishedWorkMemory = new Map();

/** Looks one after the other, as the detector makes them; the successes of the last one. */
const after = (looks: readonly Partial<WorkLook>[], memory = nothing) => {
  let held = memory;
  let successes: ReturnType<typeof noteLook>['successes'] = [];
  for (const [position, look] of looks.entries())
    ({ memory: held, successes } = noteLook(held, {
      table: 'jobs',
      readAt: at(10 + position),
      works: [work],
      asked: idsToAsk(held),
      rows: [],
      ...look,
    }));
  return { memory: held, successes };
};

it('takes a job that was running after the failure and is gone as a success, dated when it was seen last', () => {
  const { successes, memory } = after([{ rows: [job()] }, { rows: [job()] }, {}]);
  expect(successes).toMatchObject([{ n: 0, signal: { jobId: '7', finishedAt: at(11), observedAt: at(12) } }]);
  expect(SuccessSignal.parse(successes[0]?.signal)).toEqual(successes[0]?.signal);
  expect(memory.size).toBe(0);
});

it('takes a job that waited for its time as a success once the time has passed', () => {
  expect(after([{ rows: [job({ state: 'waiting', dueAt: at(11) })] }, {}]).successes).toHaveLength(1);
});

it('takes a job that vanishes before it was due as taken back', () => {
  expect(after([{ rows: [job({ state: 'waiting', dueAt: at(30) })] }, {}]).successes).toEqual([]);
});

it('does not take the removal of a failed job as a success', () => {
  expect(after([{ rows: [job({ state: 'failed', forGood: true })] }, {}]).successes).toEqual([]);
  expect(after([{ rows: [job({ state: 'dead' })] }, {}]).successes).toEqual([]);
});

it('forgets a job that fails for good, also when its row is removed later', () => {
  const { successes, memory } = after([{ rows: [job()] }, { rows: [job({ state: 'failed', forGood: true })] }, {}]);
  expect(successes).toEqual([]);
  expect(memory.size).toBe(0);
});

it('goes on with a job that waits for its next try', () => {
  const waits = job({ state: 'failed', forGood: false, dueAt: at(11) });
  expect(after([{ rows: [job()] }, { rows: [waits] }, { rows: [job()] }, {}]).successes).toHaveLength(1);
});

it('does not take a job that it did not ask for as gone', () => {
  const { successes, memory } = after([{ rows: [job()] }, { asked: [] }]);
  expect(successes).toEqual([]);
  expect(idsToAsk(memory)).toEqual(['7']);
});

it('does not pay for a failure that came after the job was seen last', () => {
  const later = { ...work, since: at(10) };
  expect(after([{ rows: [job()] }, { works: [later] }]).successes).toEqual([]);
});

it('forgets jobs of work that nobody waits for any more', () => {
  expect(after([{ rows: [job()] }, { rows: [job()], works: [] }]).memory.size).toBe(0);
});

it('tells each piece of work that the job belongs to, and no other', () => {
  const works = [
    { ...work, target: 'any' },
    { ...work, target: { id: 'a' } },
    { ...work, target: { id: 'b' } },
    { ...work, jobType: 'other', target: 'any' },
    { ...work, source: 'other', target: 'any' },
  ] as const;
  const rows = [job({ targetId: 'a' })];
  expect(after([{ rows, works }, { works }]).successes.map(({ n }) => n)).toEqual([0, 1]);
});

it('gives the same identity whoever looks, and another one to another job', () => {
  const id = (rows: readonly PresentJob[], readAt: string) =>
    after([{ rows, readAt }, {}]).successes[0]?.signal.outcomeId;
  expect(id([job()], at(5))).toBe(id([job()], at(9)));
  expect(id([job()], at(5))).not.toBe(id([job({ id: '8' })], at(5)));
});

it('keeps the running jobs of busy work, and within its bounds', () => {
  const waiting = Array.from({ length: 500 }, (_, n) => job({ id: `w${n}`, state: 'waiting' }));
  const running = Array.from({ length: rememberedPerWorkMax }, (_, n) => job({ id: `r${n}` }));
  const ids = idsToAsk(after([{ rows: [...waiting, ...running] }]).memory);
  expect(ids.toSorted()).toEqual(running.map(({ id }) => id).toSorted());

  const works = Array.from({ length: 2 * rememberedJobsMax }, (_, n) => ({ ...work, jobType: `type ${n}` }));
  const rows = works.map(({ jobType }, n) => job({ id: `${n}`, jobType }));
  expect(after([{ rows, works }]).memory.size).toBe(rememberedJobsMax);
});

it('concludes nothing from rows that are gone where rows of successes stay, or where those of failures go too', () => {
  expect(vanishingMeansSuccess(graphileWorkerMapping)).toBe(true);
  expect(vanishingMeansSuccess(backgroundJobsMapping)).toBe(false);
  const deletesBoth = { deletesSuccesses: true, retention: { failuresMs: 0, words: 'deleted at once' } };
  expect(vanishingMeansSuccess(deletesBoth)).toBe(false);
});
