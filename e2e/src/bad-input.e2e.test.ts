import { createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { tablesHolding } from './harness/find-text.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { recipient, storyTimeoutMs, withStage, withoutStorms } from './harness/stage.ts';
import { flat } from './harness/told.ts';
import { expectSilence, untilTold } from './harness/told.ts';
import { waitUntil } from './harness/wait-until.ts';

/** Longest mail that Gmail shows whole, in bytes. */
const mailBytesMax = 102_400;

/** A failed job that is right in everything; what is odd replaces a column with an SQL expression. */
const insertOdd = (table: string, odd: Readonly<Record<string, string>>): string => {
  const row = {
    source: `'apple'`,
    job_type: `'refresh_catalog'`,
    target_id: `'songs'`,
    status: `'failed'`,
    attempts: '3',
    max_attempts: '3',
    payload: `'{}'`,
    error: `'boom'`,
    finished_at: 'now()',
    ...odd,
  };
  return `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`;
};

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)> <!channel> <https://evil.example|click> *bold* @everyone`;
const injection = `songs\r\nBcc: victim@evil.example\r\nX-Evil: yes\r\n\r\n<b>body</b>`;
const escapes = `\u001b[31mred\u001b[0m \u202egnp.exe \u0007 end`;

const secrets = {
  password: 'hunter2-correct-horse',
  urlPassword: 'p4ss-in-url-9876',
  bearer: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXNlY3JldA',
  aws: 'AKIAIOSFODNN7EXAMPLE',
  github: 'ghp_0123456789abcdefghijABCDEFGHIJ012345',
  sendGrid: 'SG.abcdefghijklmnop.qrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
  installation: 'smtp-login-of-this-installation',
} as const;

const leaks = [
  `login failed: password=${secrets.password}`,
  `could not connect to postgres://app:${secrets.urlPassword}@db.internal:5432/app`,
  `401 for request with Authorization: Bearer ${secrets.bearer}`,
  `aws said no to ${secrets.aws}`,
  `git clone failed for ${secrets.github}`,
  `mail failed with key ${secrets.sendGrid}`,
  `{"api_key": "${secrets.password}", "token":"${secrets.bearer}"}`,
  `mail server refused the login ${secrets.installation}`,
];

describe('rows that hold what nobody expects', async () => {
  const database = await createTestDatabase();
  const table = 'public.research_jobs';

  /** By the target they are recognised by. */
  const oddRows: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    ordinary: {},
    'payload-string': { payload: `'"just a string"'` },
    'payload-array': { payload: `'[1, {"chain_started_at": "no run"}]'` },
    'payload-number': { payload: `'42'` },
    'payload-null': { payload: 'null' },
    'payload-odd-run': { payload: `'{"chain_started_at": {"not": "a text"}}'` },
    'payload-20-mb': { payload: `jsonb_build_object('nonsense', repeat('x', 20 * 1024 * 1024))` },
    'attempts-null': { attempts: 'null' },
    'attempts-negative': { attempts: '-1' },
    'max-attempts-null': { max_attempts: 'null' },
    'error-null': { error: 'null' },
    'error-10-mb': { error: `repeat('all work and no play ', 500000)` },
    'error-escapes': { error: quote(escapes) },
    'finished-never': { finished_at: 'null' },
    'finished-in-the-future': { finished_at: `now() + interval '1 year'` },
    'finished-at-infinity': { finished_at: `'infinity'` },
    'dead-without-attempts': { status: `'dead'`, attempts: '0' },
  };
  const hostileRows: readonly Readonly<Record<string, string>>[] = [
    { source: quote(hostile) },
    { job_type: quote(hostile) },
    { target_id: quote(hostile) },
    { error: quote(hostile), target_id: quote('html-in-error') },
    { source: quote(injection) },
    { job_type: quote(injection) },
    { target_id: quote(injection) },
    { error: quote(injection), target_id: quote('crlf-in-error') },
    { target_id: quote(escapes) },
    { source: `''`, job_type: `''`, target_id: `''` },
    { target_id: `repeat('long', 5000)` },
    { payload: `jsonb_build_object('chain_started_at', ${quote(injection)})`, target_id: quote('crlf-in-run') },
  ];

  test(
    'are told, shortened, harmless and redacted, all in the first mail after them; nothing is held back',
    { timeout: storyTimeoutMs },
    () =>
      withStage(
        {
          database,
          // More than thirty alerts at once would be one incident, which does not list them.
          config: withoutStorms,
          env: {
            ADMIN_URL: 'https://admin.example/jobs/{id}?source={source}&type={job_type}&target={target_id}',
            TOCSIN_DIGEST_WINDOW: '2s',
          },
        },
        async (stage) => {
          const smtpUrl = new URL(stage.smtp.url);
          smtpUrl.username = 'tocsin';
          smtpUrl.password = secrets.installation;
          await stage.pool.query(`alter table ${table} drop constraint if exists research_jobs_status_check`);
          for (const column of ['status', 'attempts', 'max_attempts', 'payload'])
            await stage.pool.query(`alter table ${table} alter column ${column} drop not null`);
          for (const [name, row] of Object.entries(oddRows))
            await stage.pool.query(
              insertOdd(table, { target_id: quote(name), error: quote(`boom of ${name}`), ...row }),
            );
          await stage.pool.query(insertOdd(table, { status: quote('exploded'), target_id: quote('status-unknown') }));
          await stage.pool.query(insertOdd(table, { status: 'null', target_id: quote('status-null') }));

          // Not a login of the mail server's, so it is only given to the detector, which redacts.
          const startDetector = () => stage.start('detector', { env: { SMTP_URL: smtpUrl.href } });
          const detector = startDetector();
          stage.start('notifier');
          const odd = await stage.nextMail();
          await stage.quiet();
          await detector.stop();
          for (const row of hostileRows) await stage.pool.query(insertOdd(table, row));
          for (const [index, error] of leaks.entries())
            await stage.pool.query(insertOdd(table, { target_id: quote(`leak-${index}`), error: quote(error) }));
          startDetector();
          await stage.quiet();
          // What fails again goes on in the first mail's conversation.
          const later = stage.takeMails();
          const mails = [odd, ...later];
          const balance = await expectBalance(stage.pool, stage.smtp.messages(), {
            terminalRows: `status in ('failed', 'dead')`,
          });
          expect(balance).toMatchObject({
            failures: Object.keys(oddRows).length + hostileRows.length + leaks.length,
            deliveries: mails.length,
          });

          // Unknown states are said in the log, and never told.
          const unknown = detector.log().filter(({ decision }) => decision === 'StatusUnknown');
          expect(unknown.map(({ status }) => String(status)).toSorted()).toEqual(['exploded', 'null']);
          for (const { text } of mails) expect(text).not.toContain('status-unknown');

          // Told: every one of them is in a mail by its name.
          for (const name of Object.keys(oddRows)) expect(flat(odd), name).toContain(name);
          expect(later.map(flat).join()).toContain('html-in-error');
          expect(later.map(({ html }) => html).join()).toContain('&lt;script&gt;');
          expect(mails.length).toBeLessThanOrEqual(3);

          for (const mail of mails) {
            // Shortened.
            expect(Buffer.byteLength(mail.raw)).toBeLessThan(mailBytesMax);

            // Harmless.
            expect(mail.envelope.to).toEqual([recipient]);
            expect(mail.to).toEqual([recipient]);
            expect(
              mail.headerLines.map(({ key }) => key).filter((key) => ['bcc', 'cc', 'x-evil'].includes(key)),
            ).toEqual([]);
            expect(mail.subject).not.toMatch(/[\r\n]/);
            expect(mail.html).not.toMatch(/<script|<img|<b>body|onerror=alert\(2\)>/i);
            expect(mail.html).not.toMatch(/href="(?!https:\/\/admin\.example\/)/);
            // oxlint-disable-next-line no-control-regex -- looking for control characters is the point
            const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e]/;
            for (const part of [mail.subject, mail.text, mail.html]) expect(part).not.toMatch(controls);
          }

          // Redacted, wherever one looks.
          for (const [name, secret] of Object.entries(secrets)) {
            expect(await tablesHolding(stage.pool, secret), name).toEqual([]);
            for (const part of mails.flatMap(({ subject, text, html, raw }) => [subject, text, html, raw]))
              expect(part.includes(secret), name).toBe(false);
            for (const worker of stage.workers())
              expect(worker.output().includes(secret), `${name} in a log`).toBe(false);
          }
          expect(await tablesHolding(stage.pool, 'login failed: password=[redacted]')).toContain('tocsin.events');
        },
      ),
  );
});

describe('a jobs database in another encoding', async () => {
  const database = await createTestDatabase();
  const name = `tocsin_e2e_ascii_${process.pid}`;

  test(
    'with NUL in its payloads and bytes that are no UTF-8: told, and the rows beside them too',
    { timeout: storyTimeoutMs },
    async () => {
      await database.pool.query(`create database ${name} encoding 'SQL_ASCII' locale 'C' template template0`);
      const url = new URL(database.connectionString);
      url.pathname = `/${name}`;
      const jobs = createPool({ connectionString: url.href, max: 1, applicationName: 'tocsin e2e', onError: () => {} });
      try {
        await jobs.query(`create table public.research_jobs (
        id bigint generated always as identity primary key, source text, job_type text, target_id text, status text,
        attempts integer, max_attempts integer, payload json, error text, started_at timestamptz, finished_at timestamptz,
        created_at timestamptz default now(), updated_at timestamptz default now())`);
        await jobs.query(`create index on public.research_jobs (updated_at, id) where status in ('failed', 'dead')`);
        const rows: readonly Readonly<Record<string, string>>[] = [
          { target_id: `'good'` },
          { target_id: `'nul-in-payload'`, payload: String.raw`'{"chain_started_at": "\u0000", "half": "\ud800"}'` },
          { target_id: `'bytes-in-error'`, error: String.raw`E'caf\xe9 \xff\xfe broken'` },
          { target_id: String.raw`E'caf\xe9'` },
          { source: String.raw`E'\xc3('`, target_id: `'bytes-in-source'` },
        ];
        for (const row of rows) await jobs.query(insertOdd('public.research_jobs', row));
        await withStage({ database, env: { JOBS_DATABASE_URL: url.href } }, async (stage) => {
          stage.startBoth();
          await stage.nextMail();
          await stage.quiet();
          const { rows: outcomes } = await stage.pool.query<{ readonly id: string; readonly disposition: string }>(
            'select job_id as id, disposition from tocsin.outcomes order by job_id',
          );
          expect(outcomes).toEqual(rows.map((_, index) => ({ id: String(index + 1), disposition: 'recorded' })));
          const text = stage.smtp
            .messages()
            .map((mail) => mail.text)
            .join('\n');
          // Of a row that cannot be read as text, the id is told.
          for (const job of ['good', 'nul-in-payload', 'job 3', 'job 4', 'job 5']) expect(text).toContain(job);
          stage.takeMails();
        });
      } finally {
        await jobs.end();
        await database.pool.query(`drop database ${name} with (force)`);
      }
    },
  );
});

describe('a table that is not what is expected', async () => {
  const [gone, changed] = await Promise.all([createTestDatabase(), createTestDatabase()]);

  test('no table: said once with the cure, and told as soon as it is there', { timeout: storyTimeoutMs }, () =>
    withStage({ database: present(gone) }, async (stage) => {
      stage.expectErrors((text) => text.includes('there is no table public.research_jobs in this database'));
      await stage.jobs.failForGood();
      await stage.pool.query('alter table public.research_jobs rename to mislaid_jobs');
      const { detector } = stage.startBoth();
      const entry = await detector.waitForLog(
        'that the table is missing',
        ({ decision }) => decision === 'TableUnreadable',
      );
      expect(entry['msg']).toContain('create it, or correct jobs[].table');
      const once = stage.start('detector', { args: ['--once'] });
      expect(await once.waitForExit()).toMatchObject({ code: 1 });
      expect(once.errors()).toEqual([expect.stringContaining('there is no table public.research_jobs')]);
      // A single pass has no next one, so it tells at once.
      await untilTold(stage, 'Watched table research_jobs cannot be read');
      await stage.pool.query('alter table public.mislaid_jobs rename to research_jobs');
      await untilTold(stage, 'can be read again', 'apple/refresh_catalog/songs');
      await expectSilence(stage);
      expect(detector.log().filter(({ decision }) => decision === 'TableUnreadable')).toHaveLength(1);
      await expectBalance(stage.pool, stage.smtp.messages(), { conditions: 1 });
    }),
  );

  test(
    'a column goes away while it is watched: every missing one is named, and it goes on when they are back',
    { timeout: storyTimeoutMs },
    () =>
      withStage({ database: present(changed) }, async (stage) => {
        stage.expectErrors((text) => text.includes('which adapter research_jobs needs'));
        const { detector } = stage.startBoth();
        await stage.quiet();
        await stage.pool.query(
          `alter table public.research_jobs rename attempts to tries;
         alter table public.research_jobs rename status to condition`,
        );
        const isUnreadable = ({ decision }: Readonly<Record<string, unknown>>): boolean =>
          decision === 'TableUnreadable';
        const words = await waitUntil('both columns to be named', () =>
          detector
            .log()
            .filter(isUnreadable)
            .map(({ msg }) => String(msg))
            .find((msg) => msg.includes('no column attempts') && msg.includes('no column status')),
        );
        expect(words).toContain('add it, or watch a view that has it');
        await stage.pool.query(
          `alter table public.research_jobs rename tries to attempts;
         alter table public.research_jobs rename condition to status`,
        );
        await stage.jobs.failForGood();
        await stage.nextMail();
        await stage.quiet();
        await expectBalance(stage.pool, stage.smtp.messages());
      }),
  );
});
