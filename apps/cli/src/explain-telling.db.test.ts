import { randomUUID } from 'node:crypto';
import type { TimeWindow } from '@tocsin/alert-model';
import { settleProviderEvents } from '@tocsin/alert-service';
import type { Delivery } from '@tocsin/event-store';
import { findMapping, inspectTable, readFailures } from '@tocsin/job-sources';
import { createTestDatabase, insertFailedResearchJob } from '@tocsin/testing';
import { afterEach, expect, test } from 'vitest';
import { failure, immediate, ladder, openCliWorld, success } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase();
let world: CliWorld;
afterEach(async () => {
  await world.close();
  await database.pool.query('delete from tocsin.silences; delete from public.research_jobs');
});

const minutes = (count: number): number => count * 60_000;
/** A key of its own per test, so that tests do not see each other's alerts. */
let made = 0;
const newJob = (): { readonly source: string; readonly key: string } => {
  made += 1;
  const source = `source${made}`;
  return { source, key: `job/${source}/refresh_catalog/songs` };
};
const explain = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await world.tocsin('alerts', 'explain', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
};
interface Explained {
  readonly alertId: string;
  readonly suppressors: readonly Readonly<Record<string, unknown>>[];
  readonly channels: readonly Readonly<Record<string, unknown>>[];
  readonly next: readonly { readonly at: string | null; readonly what: string }[];
  readonly planned: Readonly<Record<string, unknown>>;
}
const explained = async (key: string): Promise<Explained> => JSON.parse(await explain(key, '--json')) as Explained;
const silence = async (source: string, ...args: readonly string[]): Promise<string> => {
  const { code, out } = await world.tocsin('silences', 'add', '--source', source, '--by', 'ada', ...args, '--json');
  expect(code).toBe(0);
  return (JSON.parse(out) as { silence: { id: string } }).silence.id;
};
const deliveriesOf = (channel: string): Promise<readonly Delivery[]> =>
  world.service.store.read((session) => session.listDeliveries({ state: 'all', channel, limit: 10 }));

test('a muted failure names the silence: by id, who, why, until when; and when that ends', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  const id = await silence(source, '--for', '2h', '--reason', 'moving house');
  const signal = failure({ source });
  await world.signal(signal);
  const mute = new RegExp(`silence ${id.slice(0, 8)} of ada \\(moving house\\) mutes it until \\d{4}-.* UTC`);
  const out = await explain(key);
  expect(out).toMatch(new RegExp(`^Not told: ${mute.source}`, 'm'));
  expect(out).toMatch(/Held back by \(UTC\)\n {2}silence .* of ada \(moving house\) mutes it since .* until .* UTC/);
  expect(out).toMatch(/\(in (1 h 59 min|2 h)\): silence .* of ada ends; what happened under it is told/);
  expect(out).toContain('AlertSilenced: by silence');
  expect(await explain('--job', signal.jobId)).toMatch(new RegExp(`on route default it is not told: ${mute.source}`));
  expect(await explained(key)).toMatchObject({
    suppressors: [{ by: 'silence', active: true, until: expect.stringMatching(/Z$/) }],
    planned: { action: 'unsilence' },
  });
});

test('what failed under a silence and is told after it still names that silence', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  const id = await silence(source, '--for', '2h');
  const signal = failure({ source });
  await world.signal(signal);
  await world.tocsin('silences', 'end', id, '--by', 'bert');
  await world.run();
  expect(await explain('--job', signal.jobId)).toMatch(
    new RegExp(
      `told on route default \\(silence ${id.slice(0, 8)} of ada muted it from .* to .* UTC\\): email accepted it`,
    ),
  );
  expect(await explain(key)).toMatch(/silence .* of ada muted it from .* until .* UTC, when bert ended it/);
});

test('what recovered under a silence was told to nobody, because of it', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  const id = await silence(source, '--for', '2h');
  const signal = failure({ source, failedAt: new Date(Date.now() - 1_000).toISOString() });
  await world.signal(signal);
  await world.signal(success({ source }));
  const out = await explain(key);
  expect(out).toContain(`Not told: silence ${id.slice(0, 8)} of ada muted it until it was resolved. It is on record.`);
  expect(out).toContain('nothing: it is resolved, and nobody was told of it; it is on record');
  expect(await explain('--job', signal.jobId)).toContain(
    `on route default it was not told: silence ${id.slice(0, 8)} of ada muted it until it was resolved`,
  );
});

test('a silence until the resolution is named without a time, with the command that ends it', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const id = await silence(source, '--until-resolved');
  await world.signal(failure({ source }));
  const out = await explain(key);
  expect(out).toMatch(
    /^Told: email accepted .* What came since is not told: silence .* mutes it until it is resolved\.$/m,
  );
  expect(out).toContain(`mutes it until it is resolved. End it before: npx tocsin silences end ${id.slice(0, 8)}`);
});

/** From an hour ago until two hours from now, whatever the time of the day. */
const quietNow = (): TimeWindow => {
  const minute = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
  return { days: [], fromMinute: (minute + 1_380) % 1_440, toMinute: (minute + 120) % 1_440, timeZone: 'UTC' };
};

test('quiet hours are named with their end, and who is told all the same', async () => {
  world = await openCliWorld(database, {
    routes: [immediate({ windowMs: minutes(5), firstAtOnce: true, quietHours: [quietNow()] })],
  });
  const { source, key } = newJob();
  const signal = failure({ source });
  await world.signal(signal);
  const out = await explain(key);
  expect(out).toContain('goes out when the quiet hours of route default are over');
  expect(out).toMatch(
    /route {6}default: email; gathered for 5 min, the first news of an alert at once; quiet every day \d\d:\d\d-\d\d:\d\d UTC \(critical all the same\)/,
  );
  expect(out).toMatch(/Held back by \(UTC\)\n {2}quiet hours of route default \(every day .* UTC\), until .* UTC/);
  expect(out).toMatch(
    /\(in (1 h 59 min|2 h)\): the digest of route default goes out to email, when quiet hours are over/,
  );
  expect(await explain('--job', signal.jobId)).toMatch(
    /on route default it goes out at .* UTC, when its quiet hours are over/,
  );
  expect(await explained(key)).toMatchObject({ suppressors: [{ by: 'quiet-hours', active: true }] });
});

test('an alert of a storm says since when it is withheld, and with how many others', async () => {
  world = await openCliWorld(database, {
    storm: { keys: 2, withinMs: minutes(5), share: null, updateMs: minutes(15) },
  });
  const { source, key } = newJob();
  const signal = failure({ source });
  await world.signal(signal, ...['a', 'b', 'c', 'd'].map((targetId) => failure({ source, targetId })));
  const out = await explain(key);
  expect(out).toContain('Not told yet: many alerts opened at once, so it goes out with them in one message');
  expect(out).toMatch(
    /Held back by \(UTC\)\n {2}a storm \(\d+ new alerts or more within 5 min(, of source\d+ alone)?\): since .* UTC it is gathered/,
  );
  expect(out).toMatch(/digest \w{8} of route default \(storm: \d+ new alerts or more within 5 min/);
  expect(out).toMatch(/: the message of the storm, with all that belongs to it, of route default goes out to email/);
  expect(await explain('--job', signal.jobId)).toMatch(/it goes out at .* UTC, with all the others of the storm/);
  expect(await explained(key)).toMatchObject({ suppressors: [{ by: 'storm', active: true }] });
});

test('a flapping alert says why only its first notice goes out, and when it has settled', async () => {
  world = await openCliWorld(database, { flapping: { times: 2, withinMs: minutes(60), holdMs: minutes(30) } });
  const { source, key } = newJob();
  const at = (second: number): string => new Date(Date.now() - 60_000 + second * 1_000).toISOString();
  for (let turn = 0; turn < 2; turn += 1) {
    await world.signal(failure({ source, failedAt: at(turn * 2) }));
    await world.signal(success({ source, finishedAt: at(turn * 2 + 1) }));
  }
  await world.signal(failure({ source, failedAt: at(10) }));
  const again = failure({ source, failedAt: at(11) });
  await world.signal(again);
  const { rows } = await database.pool.query<{ id: string }>(
    'select id from tocsin.alerts where key = $1 and state <> $2',
    [key, 'resolved'],
  );
  const id = rows[0]?.id ?? '';
  const failing = await explain(id);
  expect(failing).toMatch(/^Told: email accepted .* What came since is not told while it is flapping\.$/m);
  expect(failing).toContain(
    'flapping: 3 alerts of this key within 1 h; told once, then held until it has been fine, or failing, for 30 min',
  );
  expect(failing).toMatch(/\(in (29|28) min.*\): it has settled if it goes on failing until then/);
  expect(failing).toContain('what came since is told when it has settled');
  expect(await explain('--job', again.jobId)).toContain(
    'on route default it is held while the alert is flapping, until it has been fine or failing for 30 min',
  );

  await world.signal(success({ source, finishedAt: at(12) }));
  const fine = await explain(id);
  expect(fine).toMatch(/\(in (30|29) min.*\): it is resolved if it stays fine until then, and people are told/);
  expect(fine).not.toContain('waits for:');
  expect(await explained(id)).toMatchObject({
    suppressors: [{ by: 'flapping', active: true }],
    planned: { action: 'settle' },
  });
});

test('a channel whose key is refused is named as parked, with what its provider said and when it is tried again', async () => {
  world = await openCliWorld(database);
  world.script.set('email', { outcome: 'rejected', reason: 'unauthorized', status: 401, detail: 'The key is wrong.' });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const out = await explain(key);
  expect(out).toMatch(/attempt 1 at .*: rejected, 401, unauthorized, The key is wrong\./);
  expect(out).toMatch(
    /Channels\n {2}email is parked: .*The key is wrong\.?, last at .* UTC\. Tried again .* \(in 1[45] min/,
  );
  expect(out).toMatch(/\(in 1[45] min.*\): attempt 2 on email/);

  // The next message finds the channel closed: no attempt is made.
  const other = newJob();
  await world.signal(failure({ source: other.source }));
  const waiting = await explain(other.key);
  expect(waiting).toMatch(/attempt 1 on email \(it waits: the channel is parked, .*The key is wrong/);
  expect(waiting).not.toMatch(/attempt 1 at/);
  expect(await explained(other.key)).toMatchObject({ channels: [{ channel: 'email', trouble: 'parked' }] });
});

test('the channel that stands in for a parked one is named with its own answer', async () => {
  world = await openCliWorld(database, { routes: [immediate({ fallback: ['chat'] })] });
  world.script.set('email', { outcome: 'rejected', reason: 'unauthorized', status: 401, detail: 'The key is wrong.' });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const out = await explain(key);
  expect(out).toMatch(/^Told: chat accepted it at/m);
  expect(out).toMatch(/email: given up \(unauthorized\), another message took over\n/);
  expect(out).toMatch(/chat \(stands in\): accepted/);
});

test('an open circuit is named with what it was opened by', async () => {
  world = await openCliWorld(database);
  world.script.set('email', { outcome: 'retry', reason: 'server-error', status: 500, retryAfterMs: 0, detail: 'no' });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const out = await explain(key);
  expect(out).toMatch(/email does not answer: 5 attempts failed one after the other, last at .* Tried again .* \(in /);
  const other = newJob();
  await world.signal(failure({ source: other.source }));
  expect(await explain(other.key)).toMatch(
    /attempt 1 on email \(it waits: the channel does not answer, 5 attempts failed one after the other\)/,
  );
});

test('a message that waits for its turn on a channel says so, and when its turn is', async () => {
  world = await openCliWorld(database, {}, { rateLimits: { email: { everyMs: minutes(10), burst: 1 } } });
  await world.signal(failure({ source: newJob().source }));
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  expect(await explain(key)).toMatch(
    /\(in (9|10) min.*\): attempt 1 on email \(it waits for its turn: the channel may send only so much\)/,
  );
});

const says = async (event: string, detail: string | null = null): Promise<void> => {
  const delivery = (await deliveriesOf('email'))[0];
  const attempt = (
    await world.service.store.read((session) => session.attemptsOf(delivery === undefined ? [] : [delivery.id]))
  )[0];
  if (delivery === undefined || attempt === undefined) throw new Error('Nothing was sent.');
  await settleProviderEvents(world.service, [
    {
      id: randomUUID(),
      provider: 'sendgrid',
      attemptId: attempt.id,
      deliveryId: delivery.id,
      event,
      recipient: 'ada@example.com',
      detail,
      at: new Date().toISOString(),
    },
  ]);
  await world.run();
};

test("the provider's own word is shown beside each attempt: delivered", async () => {
  world = await openCliWorld(database, {}, { recipients: { email: 1 } });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  await says('delivered');
  const out = await explain(key);
  expect(out).toMatch(/email: delivered .* UTC \(.*\), says the provider/);
  expect(out).toMatch(/provider at .*: delivered ada@example\.com/);
});

test('a message that came back is named with what the provider said, and how to send it again', async () => {
  world = await openCliWorld(database, {}, { recipients: { email: 1 } });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  await says('bounce', '550 5.1.1 no such user');
  const out = await explain(key);
  expect(out).toContain('Not told: the message was accepted and came back, and no channel is left.');
  expect(out).toMatch(/email: accepted .*, then came back \(bounced\)/);
  expect(out).toMatch(/provider at .*: bounce ada@example\.com, 550 5\.1\.1 no such user/);
  expect(out).toMatch(
    /NotificationBounced: email had accepted digest .*, and it came back \(bounced\); no channel is left/,
  );
  const id = (await deliveriesOf('email'))[0]?.id.slice(0, 8) ?? '';
  expect(out).toContain(
    `the message to email was given up (bounced). Send it again: npx tocsin deliveries retry ${id}`,
  );
});

test('each step of a ladder is named with its time: level, level for a severity, repetition', async () => {
  world = await openCliWorld(database, {
    routes: [
      immediate({
        escalation: {
          name: 'night',
          levels: [
            { afterMs: 0, channels: ['chat'], severities: null },
            { afterMs: minutes(20), channels: ['boss'], severities: ['critical'] },
            { afterMs: minutes(30), channels: ['pager'], severities: null },
          ],
          repeat: { everyMs: minutes(60), times: 2 },
        },
      }),
    ],
  });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  await world.run();
  const out = await explain(key);
  expect(out).toContain(
    'escalation night: at once chat; after 20 min, if critical, boss; after 30 min pager; then all again every 1 h, 2 times',
  );
  expect(out).toContain('AlertEscalated: level 1 of night (chat), route default');
  // The second level is not for this severity.
  expect(out).toMatch(
    /\(in (29 min \d+ s|30 min)\): escalates to level 3 of night \(pager\) unless it is acknowledged/,
  );
  expect(await explained(key)).toMatchObject({ planned: { action: 'escalate' } });
});

test('an acknowledgement until so many failures says how many are left', async () => {
  world = await openCliWorld(database, { routes: [immediate({ escalation: ladder('second', [30, 'pager']) })] });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  await world.tocsin('alerts', 'ack', key, '--by', 'anna', '--until-failures', '3');
  await world.signal(failure({ source }));
  const out = await explain(key);
  expect(out).toContain('anna has it until it succeeds; after 2 more failures (1 of 3 so far) people are told again');
  expect(out).toMatch(/Held back by \(UTC\)\n {2}anna has it since .* UTC, until it has failed 3 times more/);
  expect(out).not.toContain('escalates');
});

/** A failure as the detector would read it from its row. */
const readRow = async (id: string) => {
  const mapping = findMapping('research_jobs');
  if (mapping === undefined) throw new Error('no mapping');
  const table = { name: 'research_jobs', table: 'public.research_jobs' };
  const { source } = await inspectTable(database.pool, mapping, table);
  if (source === null) throw new Error('no source');
  return readFailures(database.pool, source, [id]);
};

test('a failed row that nobody has read is explained by key, rule, route, and the silence that would mute it', async () => {
  world = await openCliWorld(database);
  const job = await insertFailedResearchJob(database.pool, { source: 'orchard', job_type: 'resize', target_id: 'x' });
  expect(await explain('--job', job)).toMatch(
    /it will belong to job\/orchard\/resize\/x, severity error \(default\), told on route default \(.*\)\.$/m,
  );
  const id = await silence('orchard', '--for', '1h');
  expect(await explain('--job', job)).toMatch(
    new RegExp(`told on route default \\(.*\\); silence ${id.slice(0, 8)} of ada mutes it until .* UTC`),
  );
});

test('a failure that was announced and not decided on is explained the same way', async () => {
  world = await openCliWorld(database);
  const job = await insertFailedResearchJob(database.pool, { source: 'orchard', job_type: 'resize', target_id: 'y' });
  const [signal] = await readRow(job);
  if (signal === undefined) throw new Error('no failure');
  const { outcomeId: id, table, jobId, kind, failedAt } = signal;
  await world.service.store.transaction('test.announce', (session) =>
    session.announceOutcomes([{ id, table, jobId, kind, failedAt }]),
  );
  expect(await explain('--job', job)).toMatch(
    /not dealt with yet\. A notifier does that: npx tocsin notifier\. Then it will belong to job\/orchard\/resize\/y/,
  );
});
