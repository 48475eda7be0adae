import type { DigestMessage } from '@tocsin/alert-model';
import { describe, expect, test } from 'vitest';
import { composedOf, fiveThousand, one, thirty } from './composed-message.fixture.ts';
import type { FailureChange } from './composed-message.fixture.ts';
import { quotedPrintableBytes } from './quoted-printable-bytes.ts';
import { partsBytesMax, renderDigest } from './render-digest.ts';
import { seen } from './seen.fixture.ts';

/** Both parts, as one line each. */
const partsOf = async (message: DigestMessage): Promise<readonly string[]> => {
  const { html, text } = await renderDigest(message);
  return [seen(html), text.replace(/\s+/g, ' ')];
};

describe('five thousand failures at once', () => {
  const message = composedOf(fiveThousand, 'storm');

  test('are one message: how many, which types, when, why, and where the list is', async () => {
    expect(message.subject).toBe('5,000 jobs of 10 types failed: 3 causes');
    expect(message.headline).toMatch(
      /^5,000 jobs of 10 types failed, Mon 16 Nov 02:57 to 03:05 UTC\. 3,500: OperationalError: connection to server/,
    );
    for (const part of await partsOf(message)) {
      expect(part).toContain('First failure Mon 16 Nov, 02:57 UTC, last 03:05 UTC.');
      expect(part).toContain('857 apple/export_report');
      expect(part).toContain('and 2 more job types');
      expect(part).toMatch(/new, by cause \(3\)/i);
      expect(part).toContain('3,500 failures: apple/refresh_catalog and 9 more job types');
      expect(part).toContain('Connection refused');
      expect(part).toContain('npx tocsin alerts list --limit 1000');
      expect(part).not.toContain('alerts ack');
    }
    expect((await renderDigest(message)).html).toContain(
      `href="https://tocsin.example.com/alerts?digest=${message.digestId}"`,
    );
  });

  test('name samples of every cause with their rows', async () => {
    for (const part of await partsOf(message))
      expect(part).toMatch(/apple \/ sync_prices \/ shard-1\W+job 4712, 02:57/);
    for (const item of message.items) expect(item.alertIds).toHaveLength(100);
  });

  test('of one source name it in the command, unless it is no plain word', async () => {
    const of = async (source: string) =>
      (await renderDigest(composedOf(fiveThousand.slice(0, 40).map((change) => ({ ...change, source }))))).text;
    expect(await of('apple')).toContain('npx tocsin alerts list --source apple\n');
    expect(await of('a; rm -rf ~')).toContain('npx tocsin alerts list\n');
    expect(await of('--all')).toContain('npx tocsin alerts list\n');
  });
});

describe('size', () => {
  const hostile = `<script>alert(1)</script>\r\nBcc: eve@example.com\u001b[31m\u202e語😀="&<>'${'w'.repeat(400)}`;
  const many = (change: (n: number) => FailureChange): readonly FailureChange[] =>
    fiveThousand.map((failure, n) => ({ ...failure, ...change(n) }));
  const letters = (n: number): string =>
    n.toString(26).replace(/[0-9]/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)));

  test.each<[string, readonly FailureChange[]]>([
    ['one failure', one],
    ['thirty failures', thirty],
    ['five thousand failures of three causes', fiveThousand],
    [
      'five thousand failures of as many causes',
      many((n) => ({ error: `Error${letters(n)}: ${'long '.repeat(300)}` })),
    ],
    ['five thousand failures of as many types', many((n) => ({ jobType: `type-${n}`, error: `Error${letters(n)}` }))],
    [
      'five thousand hostile failures',
      many((n) => ({
        source: hostile.slice(0, 300),
        jobType: `${letters(n)}${hostile}`.slice(0, 300),
        targetId: hostile,
        jobId: `${n}${hostile}`.slice(0, 300),
        error: `Error${letters(n % 40)}: ${hostile.repeat(10)}`,
        notes: [hostile],
        details: {
          stage: hostile.slice(0, 300),
          progress: 1,
          counts: null,
          startedAt: null,
          heartbeatAt: null,
          fields: { [hostile.slice(0, 100)]: hostile },
        },
      })),
    ],
  ])('of %s is below the bound, in either form', { timeout: 60_000 }, async (_, failures) => {
    for (const purpose of ['window', 'storm'] as const) {
      const message = composedOf(failures, purpose);
      const { html, text } = await renderDigest(message);
      expect(quotedPrintableBytes(html) + quotedPrintableBytes(text)).toBeLessThanOrEqual(partsBytesMax);
      const left = message.totals.alerts - message.items.reduce((sum, { alerts }) => sum + alerts, 0);
      expect(message.omittedAlerts).toBe(left);
      expect(seen(html).includes(`${left.toLocaleString('en-US')} more alerts not shown here`)).toBe(left > 0);
      expect(html).not.toContain('<script');
      expect(text).not.toMatch(/^Bcc:/m);
    }
  });
});
