import type { MessageItem } from '@tocsin/alert-model';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';
import { buildMime } from './build-mime.ts';
import { composeMail } from './compose-mail.ts';
import { parseMailAddress } from './mail-address.ts';

/** Gmail cuts a mail off at 102 KB. */
const mailBytesMax = 100_000;
const from = parseMailAddress('Tocsin <tocsin@localhost>');
const to = parseMailAddress('Ada <ada@example.com>');
const address = 'https://admin.example.com/jobs?source=apple&type=refresh_catalog&target=';

const job = (targetId: string): MessageItem['causes'][number]['jobs'][number] => ({
  table: 'public.research_jobs',
  jobId: '0190c1f4-7b5e-7d3a-9a3b-000000000042',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId,
  kind: 'failed',
  attempts: 3,
  maxAttempts: 3,
  failedAt: '2026-11-16T03:02:41Z',
  adminUrl: `${address}${targetId}`,
  notes: [],
});

const hundred = (change: (index: number) => Partial<MessageItem>): readonly MessageItem[] =>
  Array.from({ length: 100 }, (_, index) =>
    sampleItem({
      alertId: `${(0xa0000000 + index).toString(16)}-7c1d-5e2f-9a3b-0242ac120002`,
      title: `apple/refresh_catalog/album-${index} failed`,
      targetId: `album-${index}`,
      adminUrl: `${address}album-${index}`,
      tocsinUrl: `https://tocsin.example.com/alerts/${(0xa0000000 + index).toString(16)}-7c1d-5e2f-9a3b-0242ac120002`,
      ...change(index),
    }),
  );

const mailOf = async (items: readonly MessageItem[], words: string) => {
  const outgoing = sampleOutgoing({
    items,
    subject: `[Tocsin] ${words}`,
    headline: words,
    notices: Array.from({ length: 20 }, () => words),
    omittedAlerts: 5,
  });
  const mime = await buildMime(await composeMail(outgoing, from, [to]));
  const { text = '', html } = await simpleParser(mime);
  return { mime, text, html: html || '' };
};

/** The alerts that a part names by id, and those it says it leaves out. */
const accounted = (part: string): number => {
  const named = new Set(part.match(/\ba00000[0-9a-f]{2}\b/g)).size;
  return named + Number(/([\d,]+) more alerts not\s+shown/.exec(part)?.[1]?.replace(',', '') ?? 0);
};

describe('a mail as it goes over the wire', () => {
  test('with a hundred failures stays below 100,000 bytes and names every one in both parts', async () => {
    const items = hundred((index) => ({
      causes: [
        {
          signature: `s1:${index}`,
          error: `HTTPError: 502 Server Error for url: https://api.example.com/v1/album-${index}?offset=${index} ${'and so on '.repeat(25)}`,
          count: 1,
          jobs: [job(`album-${index}`)],
          moreJobs: 0,
        },
      ],
    }));
    const { mime, text, html } = await mailOf(items, '100 jobs failed');
    expect(mime.length).toBeLessThan(mailBytesMax);
    for (const { title } of items) {
      expect(html).toContain(title);
      expect(text).toContain(title);
    }
  });

  test.each<[string, string]>([
    ['wide script', '語'],
    ['emoji', '😀'],
    ['accents', 'é'],
    ['equals signs', '='],
    ['markup', '"&<>'],
    ['digits and a few accents', '0123456789é'],
    ['blanks and full stops', '. , ! '],
    ['short words', 'ab cde '],
    ['line breaks', 'a\r\n.\r\n'],
    ['controls', '\u0000\u001b[31m\u202e='],
  ])('of nothing but %s stays below 100,000 bytes, and accounts for every alert', async (_, piece) => {
    const long = piece.repeat(Math.ceil(1_500 / piece.length));
    const url = `https://x.example/?${encodeURIComponent(piece.repeat(20)).slice(0, 600)}`;
    const items = hundred(() => ({
      title: long,
      source: long,
      jobType: long,
      targetId: long,
      adminUrl: url,
      tocsinUrl: url,
      chain: {
        name: long,
        run: long,
        missing: Array.from({ length: 20 }, () => long),
        lastGreenAt: long,
        failedRuns: 3,
      },
      causes: Array.from({ length: 8 }, () => ({
        signature: long,
        error: long,
        count: 20,
        jobs: Array.from({ length: 12 }, () => ({
          ...job(long),
          source: long,
          jobType: long,
          adminUrl: url,
          notes: [long],
        })),
        moreJobs: 8,
      })),
      escalation: { level: 2, name: long, afterMs: 1, toldBefore: [{ channel: long, at: long }] },
      predecessor: { alertId: long, resolvedAt: long, recentCount: 5 },
    }));
    const { mime, text, html } = await mailOf(items, long);
    expect(mime.length).toBeLessThan(mailBytesMax);
    expect(accounted(text)).toBe(105);
    expect(accounted(html)).toBe(105);
  });
});
