import { createTestDatabase, startSendGridDouble, startSlackDouble } from '@tocsin/testing';
import type { SendGridDouble, SendGridMail, SlackDouble, SlackDoubleMessage } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { expectRecordsInOrder } from './harness/ledger.ts';
import { megabytes, memoryOf } from './harness/memory.ts';
import type { Memory } from './harness/memory.ts';
import { present } from './harness/present.ts';
import { recipient, sender, withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { toldOnRoutes } from './harness/told-on-routes.ts';
import { waitUntil } from './harness/wait-until.ts';
import type { Worker } from './harness/worker.ts';

const database = await createTestDatabase();

const few = 1_000;
const many = 5_000;
/** Messages of one moment for a chat that takes one a second. */
const burst = 12;
/** The places are given out a second apart; a message that is held up on its way may be close behind the next one's heels. */
const tooFastMax = 5;
const causes = ['psycopg.OperationalError: could not connect', 'KeyError: price', 'HTTP 429 from the shop'];
const jobTypes = ['import', 'export', 'reindex', 'thumbnail'];
/** A mail server that is down: nothing listens on the port. */
const deadServer = 'smtp://127.0.0.1:1';
/** Seconds after the last message of a storm from which on another one is a storm of its own: `within` and `update`. */
const stormSeconds = { within: 5, update: 10 };
/** Most that five times as many failures may add to a process, in bytes: far less than they would take if it kept them. */
const growthMaxBytes = 96 * 1_048_576;
/** A mail that Gmail does not cut off; see docs/guarantees.md. */
const mailBytesMax = 100 * 1_024;
/** Messages that may tell of the recovery of thousands of jobs, which takes a while to be seen. */
const recoveryMessagesMax = 5;
/** Their debugging is thousands of lines. */
const quieter = { env: { LOG_LEVEL: 'info' } };
const testTimeoutMs = 420_000;
const waitMs = 180_000;

/** A table of failures: work of its own each, over three causes and four types. */
const work = (count: number, source: string) =>
  Array.from({ length: count }, (_, index) => ({
    source,
    jobType: present(jobTypes[index % jobTypes.length]),
    targetId: `item-${index}`,
  }));

const configOf = (slack: SlackDouble, sendGrid: SendGridDouble) => ({
  channels: {
    mail: { type: 'smtp', url: deadServer, to: [recipient], from: sender },
    sendgrid: {
      type: 'sendgrid',
      api_key: sendGrid.apiKey,
      base_url: sendGrid.baseUrl,
      to: [recipient],
      from: sender,
    },
    // One message a second, which is the default: Slack asks for that.
    chat: { type: 'slack_bot', token: slack.token, channel: slack.channel, base_url: slack.apiUrl },
  },
  storm: { keys: 50, within: `${stormSeconds.within}s`, update: `${stormSeconds.update}s` },
  routes: [
    // Of everything: it is the default route.
    { name: 'by-mail', channels: ['mail'], fallback: ['sendgrid'], digest: { window: '1s' } },
    { name: 'in-chat', match: { source: ['warehouse', 'shop'] }, channels: ['chat'], digest: { window: '1s' } },
    ...Array.from({ length: burst }, (_, index) => ({
      name: `team-${index}`,
      match: { source: 'teams', job_type: `team-${index}` },
      channels: ['chat'],
      digest: { window: '1s' },
    })),
  ],
});

test(
  '5,000 failures at once, a chat that takes one message a second, a mail server that is down: one message each, nothing lost',
  { timeout: testTimeoutMs },
  async () => {
    const slack = await startSlackDouble({ messagesPerSecond: 1 });
    const sendGrid = await startSendGridDouble();
    try {
      await withStage({ database, config: configOf(slack, sendGrid) }, async (stage) => {
        const workers = [stage.start('detector'), stage.start('notifier', quieter), stage.start('notifier', quieter)];
        const watch = watchMemory(workers);
        try {
          await shareTheChat(stage, slack, workers);
          const first = await tellStorm(stage, slack, sendGrid, { count: few, source: 'shop' });
          const afterFew = watch.highest();
          await afterTheStorm(stage);
          const second = await tellStorm(stage, slack, sendGrid, { count: many, source: 'warehouse' });
          const afterMany = watch.highest();
          const tooFast = slack.requests().filter(({ status }) => status === 429).length;
          expect(tooFast, 'messages that came a moment too early').toBeLessThanOrEqual(tooFastMax);
          const { failures } = await expectRecordsInOrder(stage.pool);
          expect(failures).toBe(few + many + burst);
          expect(workers.filter((worker) => !worker.running())).toEqual([]);
          for (const [index, memory] of afterMany.entries()) {
            const before = afterFew[index];
            // Where the system does not say how much memory a process has, nothing is judged.
            const grewBytes = memory === null || before == null ? 0 : memory - before;
            expect(grewBytes, `bytes that the ${workers[index]?.app} grew by`).toBeLessThan(growthMaxBytes);
          }
          console.log(
            `storm: ${JSON.stringify({
              tooFast,
              [few]: first,
              [many]: second,
              megabytes: workers.map(({ app }, index) => ({
                app,
                [few]: shown(afterFew[index]),
                [many]: shown(afterMany[index]),
              })),
            })}`,
          );
        } finally {
          watch.stop();
        }
      });
    } finally {
      await Promise.all([slack.stop(), sendGrid.stop()]);
    }
  },
);

/** Twelve routes of one chat have a message at the same moment, and two notifiers send them: still one a second. */
const shareTheChat = async ({ jobs }: Stage, slack: SlackDouble, workers: readonly Worker[]): Promise<void> => {
  await jobs.failMany(
    Array.from({ length: burst }, (_, index) => ({ source: 'teams', jobType: `team-${index}`, targetId: null })),
  );
  const told = await slack.waitForMessages(burst, waitMs);
  expect(told).toHaveLength(burst);
  const tookMs = Date.parse(present(told.at(-1)).receivedAt) - Date.parse(present(told[0]).receivedAt);
  expect(tookMs).toBeGreaterThan((burst - 1) * 1_000 - 500);
  const sentBy = workers.map(
    (worker) =>
      worker.log().filter(({ decision, outcome }) => decision === 'DeliveryAttempted' && outcome === 'accepted').length,
  );
  console.log(`storm: ${burst} messages for one chat took ${tookMs} ms; sent by each process: ${sentBy.join(', ')}`);
};

/** What a storm came to, and its end. */
interface StormTold {
  readonly firstMessageSeconds: number;
  readonly allToldSeconds: number;
  readonly mailBytes: number;
  readonly fellBackFor: readonly string[];
  readonly recoveredSeconds: number;
  readonly recoveryMessages: { readonly chat: number; readonly mail: number };
}

const tellStorm = async (
  stage: Stage,
  slack: SlackDouble,
  sendGrid: SendGridDouble,
  { count, source }: { readonly count: number; readonly source: string },
): Promise<StormTold> => {
  const before = { chat: slack.messages().length, mail: mailsOf(sendGrid, source).length };
  const startedMs = performance.now();
  const since = (): number => Math.round((performance.now() - startedMs) / 100) / 10;
  const jobs = work(count, source);
  await stage.jobs.failMany(jobs, (index) => present(causes[index % causes.length]));
  await slack.waitForMessages(before.chat + 1, waitMs);
  const firstMessageSeconds = since();
  await waitUntil('the mail about it', () => mailsOf(sendGrid, source).length > before.mail, { timeoutMs: waitMs });
  await stage.quiet(waitMs);
  const allToldSeconds = since();

  // One message for all of it: how many, of which types, why, from when to when.
  const chat = slack.messages().slice(before.chat);
  expect(chat.map(({ text, threadTs }) => ({ text, threadTs }))).toHaveLength(1);
  const said = wordsOf(present(chat[0]));
  for (const text of ['', ...jobTypes, ...causes.map((cause) => cause.replace('psycopg.', ''))])
    expect(said).toContain(text);
  expect(said).toContain(`${count.toLocaleString('en-US')} ${source} jobs of 4 types failed`);
  expect(said).toMatch(/\d\d:\d\d(?::\d\d)? (?:to \d\d:\d\d(?::\d\d)? )?UTC/);
  const mails = mailsOf(sendGrid, source).slice(before.mail);
  expect(mails.map(({ subject }) => subject)).toEqual([
    `${count.toLocaleString('en-US')} ${source} jobs of 4 types failed: 3 causes`,
  ]);
  const mail = present(mails[0]);
  const flat = mail.text.replaceAll(/\s+/g, ' ');
  expect(flat).toMatch(
    /could not be sent through the channel "mail" \((?:connection-refused|circuit-open)\), so it comes through "sendgrid"/,
  );
  const mailBytes = Buffer.byteLength(mail.html);
  expect(mailBytes).toBeLessThan(mailBytesMax);

  // In the ledger every one of them is told, by both routes.
  const { rows } = await stage.pool.query<{
    readonly id: string;
    readonly told: readonly { readonly route: string }[];
  }>(`select id, data -> 'told' as told from tocsin.alerts where data ->> 'source' = $1 and state = 'notified'`, [
    source,
  ]);
  expect(rows).toHaveLength(count);
  expect(rows.filter(({ told }) => !isToldOnBoth(told.map(({ route }) => route)))).toEqual([]);
  const told = await toldOnRoutes(stage.pool);
  for (const route of ['by-mail', 'in-chat'])
    expect(rows.filter(({ id }) => told.get(route)?.failing.has(id) !== true)).toEqual([]);

  const recovered = await recover(stage, slack, sendGrid, jobs, new Set(rows.map(({ id }) => id)));
  const { rows: reasons } = await stage.pool.query<{ readonly reason: string }>(
    `select distinct last_reason as reason from tocsin.deliveries where channel = 'mail' and state = 'replaced'`,
  );
  return {
    firstMessageSeconds,
    allToldSeconds,
    mailBytes,
    fellBackFor: reasons.map(({ reason }) => reason).toSorted(),
    ...recovered,
  };
};

const isToldOnBoth = (routes: readonly string[]): boolean => routes.includes('by-mail') && routes.includes('in-chat');

/** All of it works again at once: that is told to everybody who was told, and in a few messages too. */
const recover = async (
  stage: Stage,
  slack: SlackDouble,
  sendGrid: SendGridDouble,
  jobs: ReturnType<typeof work>,
  alerts: ReadonlySet<string>,
): Promise<Pick<StormTold, 'recoveredSeconds' | 'recoveryMessages'>> => {
  const before = { chat: slack.messages().length, mail: sendGrid.messages().length };
  const startedMs = performance.now();
  await stage.jobs.succeedMany(jobs);
  await waitUntil(
    'all of it to be told as working again',
    async () => {
      const told = await toldOnRoutes(stage.pool);
      return ['by-mail', 'in-chat'].every((route) => [...alerts].every((id) => told.get(route)?.over.has(id) === true));
    },
    { timeoutMs: waitMs },
  );
  await stage.quiet(waitMs);
  const recoveredSeconds = Math.round((performance.now() - startedMs) / 100) / 10;
  const recoveryMessages = {
    chat: slack.messages().length - before.chat,
    mail: sendGrid.messages().length - before.mail,
  };
  for (const messages of Object.values(recoveryMessages)) {
    expect(messages).toBeGreaterThan(0);
    expect(messages).toBeLessThanOrEqual(recoveryMessagesMax);
  }
  // In the conversation that told of it.
  expect(
    slack
      .messages()
      .slice(before.chat)
      .filter(({ threadTs }) => threadTs === null),
  ).toEqual([]);
  return { recoveredSeconds, recoveryMessages };
};

/** Mails about jobs of one source. */
const mailsOf = (sendGrid: SendGridDouble, source: string): readonly SendGridMail[] =>
  sendGrid.messages().filter(({ subject }) => subject.includes(` ${source} `));

const wordsOf = ({ text, blocks }: SlackDoubleMessage): string => `${text} ${JSON.stringify(blocks)}`;

/** Waits until another storm is one of its own. */
const afterTheStorm = async ({ pool }: Stage): Promise<void> => {
  await waitUntil(
    'the storm to be over',
    async () => {
      const { rows } = await pool.query<{ readonly over: boolean }>(
        `select coalesce(max(sealed_at), '-infinity') < now() - $1 * interval '1 second' as over
         from tocsin.digests where purpose = 'storm'`,
        [stormSeconds.within + stormSeconds.update + 1],
      );
      return present(rows[0]).over;
    },
    { timeoutMs: waitMs },
  );
};

/** How often memory is looked at, in milliseconds. */
const lookEveryMs = 100;

/** Follows how much memory processes have, since the last look at the highest of each. */
const watchMemory = (workers: readonly Worker[]) => {
  let seen: (number | null)[] = workers.map(() => null);
  const look = (): void => {
    const memories: readonly (Memory | null)[] = workers.map(({ pid }) => memoryOf(pid));
    seen = memories.map((memory, index) => (memory === null ? null : Math.max(memory.now, seen[index] ?? 0)));
  };
  const timer = setInterval(look, lookEveryMs);
  return {
    /** The most that each had since the last call, in bytes; null where it cannot be seen. */
    highest: (): readonly (number | null)[] => {
      look();
      const highest = seen;
      seen = workers.map(() => null);
      return highest;
    },
    stop: () => clearInterval(timer),
  };
};

const shown = (bytes: number | null | undefined): number | null => (bytes == null ? null : megabytes(bytes));
