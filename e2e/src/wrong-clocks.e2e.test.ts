import { createTestDatabase } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { expectBalance } from './harness/ledger.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import { flat } from './harness/told.ts';

const hourMs = 3_600_000;

/** Environment of a process whose own clock is wrong by so much, whatever the machine's says. */
const clockWrongBy = (ms: number): { readonly NODE_OPTIONS: string } => {
  const module = `const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...given) { if (given.length === 0) super(Right.now() + ${ms}); else super(...given); }
      static now() { return Right.now() + ${ms}; }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
};

const database = await createTestDatabase();

test(
  'a detector whose clock is an hour ahead and a notifier whose clock is an hour behind tell once, with the times of the database',
  { timeout: storyTimeoutMs },
  () =>
    withStage({ database }, async (stage) => {
      const detector = stage.start('detector', { env: clockWrongBy(hourMs) });
      const notifier = stage.start('notifier', { env: clockWrongBy(-hourMs) });
      const { rows } = await stage.pool.query<{ readonly time: string }>(
        `select to_char(now() at time zone 'UTC', 'HH24') as time`,
      );
      await stage.jobs.failForGood();
      const failed = await stage.nextMail();
      await stage.jobs.runWell();
      const fine = await stage.nextMail();
      expect(fine.inReplyTo).toBe(failed.messageId);
      await stage.quiet();
      // The clocks are as wrong as they were meant to be.
      const apart = Date.parse(String(detector.log()[0]?.['time'])) - Date.parse(String(notifier.log()[0]?.['time']));
      expect(Math.round(apart / hourMs)).toBe(2);
      const hour = Number(rows[0]?.time);
      const told = Number(/(\d\d):\d\d UTC/.exec(flat(failed))?.[1]);
      // The hour may have changed meanwhile.
      expect([hour, (hour + 1) % 24]).toContain(told);
      expect(await expectBalance(stage.pool, stage.smtp.messages())).toMatchObject({ duplicates: 0, unknown: 0 });
    }),
);
