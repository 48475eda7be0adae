import { describe, expect, test } from 'vitest';
import { quotedPrintableBytes } from './quoted-printable-bytes.ts';
import { partsBytesMax, renderDigest, textBytesMax } from './render-digest.ts';
import type { RenderedDigest } from './render-digest.ts';
import { sampleCause, sampleItem, sampleJob, sampleMessage, sampleMessages } from './sample-messages.ts';
import { seen } from './seen.fixture.ts';

const told = async (name: keyof typeof sampleMessages): Promise<string> => {
  const mail = await renderDigest(sampleMessages[name]);
  const text = mail.text.replace(/\s+/g, ' ');
  // Both parts are made of the same sentences.
  for (const sentence of text.match(
    /(?:Nobody acknowledged within|Told|Acknowledged by|Failed at|Working again since|Down for|Again:)[^.]*\./g,
  ) ?? [])
    expect(seen(mail.html)).toContain(sentence.replace(/ Open in.*/, ''));
  return text;
};

describe('a failed chain', () => {
  test('tells what failed, why, since when, and what did not run because of it, in both parts', async () => {
    const mail = await renderDigest(sampleMessages.chainFailure);
    expect(mail.subject).toBe('[Tocsin] apple/weekly_catalog: songs failed');
    for (const part of [seen(mail.html), mail.text.replace(/\s+/g, ' ')]) {
      expect(part).toContain('apple / refresh_catalog / songs');
      expect(part).toContain('rebuild_index did not run; last good run Monday 9 Nov, 03:04 UTC');
      expect(part).toContain('requests.exceptions.HTTPError: 502 Server Error: Bad Gateway');
      expect(part).toContain('3 of 3');
      expect(part).toContain('Mon 16 Nov, 03:02 UTC');
      expect(part).toContain('for 4 min');
      expect(part).toContain('weekly_catalog, run of Mon 16 Nov, 02:00 UTC');
      expect(part).toContain('npx tocsin alerts ack 3f2a9c1e');
      expect(part).toMatch(/critical/i);
    }
    expect(mail.html).toContain('href="https://tocsin.example.com/alerts/3f2a9c1e-7c1d-5e2f-9a3b-0242ac120002"');
    expect(mail.html).toContain(
      'href="https://admin.example.com/jobs?source=apple&amp;type=refresh_catalog&amp;target=songs"',
    );
  });

  test('begins with the headline, which is what a lock screen shows', async () => {
    const mail = await renderDigest(sampleMessages.chainFailure);
    expect(seen(mail.html)).toMatch(/^songs failed; rebuild_index did not run; the index is from last Monday/);
    expect(mail.text).toMatch(/^songs failed; rebuild_index did not run; the index is from last Monday\n/);
  });
});

describe('what happened, in words', () => {
  test('an escalation names who was told before, and when', async () => {
    expect(await told('escalated')).toContain(
      'Nobody acknowledged within 30 min, so this goes to level 2 (on-call). Told before: email at 02:37 UTC and slack-ops at 02:37 UTC.',
    );
  });

  test('a lapse names whose acknowledgement ended', async () => {
    expect(await told('lapsed')).toContain(
      'Acknowledged by ada@example.com on Sunday 15 Nov, 08:30 UTC until a set time: that ended, and it still fails.',
    );
  });

  test('a changed error ends an acknowledgement in its own words', async () => {
    const item = sampleItem({
      kind: 'lapsed',
      lapse: { by: 'ada', acknowledgedAt: '2026-11-15T08:30:00Z', reason: 'signature-change' },
    });
    expect((await renderDigest(sampleMessage({ items: [item] }))).text.replace(/\s+/g, ' ')).toContain(
      'until the error changes: that ended, it now fails with a different error.',
    );
  });

  test('a failure that recovered inside the window is one line', async () => {
    const text = await told('recovered');
    expect(text).toContain('Failed at 03:02 UTC, recovered at 03:07 UTC: the job succeeded.');
    expect(text).not.toContain('alerts ack');
  });

  test('a resolution gives downtime, failures, the reason and who had acknowledged', async () => {
    const text = await told('resolved');
    expect(text).toContain('Working again since Monday 16 Nov, 03:05 UTC: a whole later run of the chain succeeded.');
    expect(text).toContain('Down for 14 d, 2 failures.');
    expect(text).toContain('Acknowledged: by ada@example.com');
    expect(text).not.toContain('alerts ack');
  });

  test.each([
    ['operator', 'ada', 'Closed by ada on Monday 16 Nov, 03:05 UTC, without a success'],
    ['operator', null, 'Closed by an operator on Monday 16 Nov, 03:05 UTC, without a success'],
    ['failed-steps-succeeded', null, 'every failed step has succeeded since'],
    ['constructor', null, 'constructor'],
  ])('the reason %s by %s reads "%s"', async (reason, by, words) => {
    const item = sampleItem({
      kind: 'resolved',
      causes: [],
      resolution: { resolvedAt: '2026-11-16T03:05:00Z', reason, by, downtimeMs: 1 },
    });
    expect((await renderDigest(sampleMessage({ items: [item] }))).text.replace(/\s+/g, ' ')).toContain(`${words}.`);
  });

  test('what was odd about a row is said, once for all jobs', async () => {
    const job = sampleJob({ notes: ['attempts was NULL'] });
    const item = sampleItem({ causes: [{ signature: 's1:x', error: null, count: 2, jobs: [job, job], moreJobs: 0 }] });
    const { text } = await renderDigest(sampleMessage({ items: [item] }));
    expect(text.match(/Note: attempts was NULL/g)).toHaveLength(1);
  });

  test('a problem that comes back says how often', async () => {
    expect(await told('fortyJobs')).toContain(
      'Again: third time in seven days; the last one was resolved on Saturday 14 Nov, 04:10 UTC.',
    );
  });

  test('jobs are folded by cause; each is named, or counted with a link to the list', async () => {
    const mail = await renderDigest(sampleMessages.fortyJobs);
    const text = await told('fortyJobs');
    expect(text).toContain('Failures: 24 failures, 2 causes');
    expect(text).toContain('- shard-10 (job 9009, 03:02 UTC)');
    expect(text).toContain('- and 12 more: https://tocsin.example.com/alerts/');
    expect(text).toContain('attempts 1 of 5, then marked dead');
    expect(text).toContain('! The channel slack-ops refused its message');
    expect(mail.html).toMatch(/<a href="https:\/\/tocsin[^"]+">and 12 more<\/a>/);
  });

  test('an acknowledged item says by whom, and asks nobody to acknowledge it', async () => {
    const { text } = await renderDigest(sampleMessage({ items: [sampleItem({ acknowledgedBy: 'ada' })] }));
    expect(text).toContain('by ada');
    expect(text).not.toContain('alerts ack');
  });

  test('alerts folded into one item say that the command acknowledges the first of them', async () => {
    const mail = await renderDigest(
      sampleMessage({ items: [sampleItem({ alerts: 20, failures: 20, occurrences: 20 })] }),
    );
    expect(mail.text).toContain('Acknowledge the first of 20: npx tocsin alerts ack 3f2a9c1e');
    expect(seen(mail.html)).toContain('Acknowledge the first of 20: npx tocsin alerts ack 3f2a9c1e');
    expect(mail.text).toContain('[ERROR] 20 failures: apple/refresh_catalog/songs failed');
    expect(mail.text).not.toContain('in 20 alerts');
  });

  test('missing values leave no gaps behind', async () => {
    const bare = sampleItem({
      targetId: null,
      adminUrl: null,
      tocsinUrl: null,
      causes: [
        sampleCause({
          error: null,
          jobs: [sampleJob({ attempts: null, maxAttempts: null, targetId: null, adminUrl: null })],
        }),
      ],
    });
    const mail = await renderDigest(sampleMessage({ items: [bare] }));
    expect(mail.text + seen(mail.html)).not.toMatch(/null|undefined|NaN/);
    expect(mail.html).not.toContain('<a ');
    expect(mail.text).toContain('(no error text in the row)');
  });

  test('a job that does not count attempts says only how it ended', async () => {
    const dead = sampleItem({ causes: [sampleCause({ jobs: [sampleJob({ attempts: null, kind: 'dead' })] })] });
    expect((await renderDigest(sampleMessage({ items: [dead] }))).text).toMatch(/Ended: +marked dead/);
  });
});

describe('conditions', () => {
  test('say what was expected and what was seen, and of which kind they are', async () => {
    const text = await told('conditions');
    expect(text).toContain(
      '[ERROR · STUCK] documents/process_pdf/invoice-7 No heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]). Note: It was at tiles_generated, 62 %.',
    );
    expect(text).toContain('Attempts: 1 of 3 so far');
    expect(text).toContain(
      '[CRITICAL · OVERDUE] apple/weekly_catalog Expected by Mon, 16 Nov 2026, 03:00 Europe/Berlin',
    );
    expect(text).toContain('[WARNING · NOT PICKED UP] google/import More than 2000 google/import jobs');
    expect(text).toContain('[WARNING · FAILED IN PART] shop/import_products/acme 50 of 1,000 parts failed. ValueError');
    expect(text).toContain('[ERROR · CANNOT BE JUDGED] Watched table scraping_sessions All 14 running jobs');
  });

  test('of a schedule or a watched table do not name a job that is not meant', async () => {
    const { html, text } = await renderDigest(sampleMessages.conditions);
    expect(text + seen(html)).not.toMatch(/watch_table|refresh_catalog/);
  });

  test('are counted as problems, not as failures', async () => {
    const { text } = await renderDigest(sampleMessages.conditions);
    expect(text).toContain('5 problems in 7 alerts · 1 over · 6 still open');
    expect(text).toContain('2 since it began');
    expect(text).not.toMatch(/\bfailures?\b/);
  });

  test('told before are taken back with what happened, and the janitor’s work beside it', async () => {
    const text = await told('conditions');
    expect(text).toContain(
      '[STILL OPEN, ERROR] documents/process_pdf 02:58 UTC: contract-3 (job 812) is no longer stuck: a sign of life at 2026-11-16 02:58:00 UTC. 03:01 UTC: job 815 was requeued by the janitor, restart 1 of 3, in 1 min. 03:01 UTC: job 811 was left alone by the janitor: its checkpoint does not fit the schema of rules[0].',
    );
    expect(text).not.toContain('No heartbeat for 31 min');
  });

  test('that ended without a success are not said to work again', async () => {
    const { html } = await renderDigest(sampleMessages.conditions);
    const text = await told('conditions');
    expect(text).toContain(
      '[NO LONGER STUCK, WAS ERROR] scraper/scrape_site/example.com No longer stuck since Monday 16 Nov, 03:01 UTC: a sign of life at 2026-11-16 03:01:30 UTC. It lasted 21 min. Told as: No sign of life for 41 min;',
    );
    expect(seen(html)).not.toContain('Working again');
    expect([...html.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1])).toEqual(
      ['New (4)', 'Still wrong', 'Since it was told', 'No longer wrong'].map((heading) =>
        heading.replace(' (4)', '<!-- --> (4)'),
      ),
    );
  });

  test('that came and went inside the window are one line', async () => {
    const [stuck] = sampleMessages.conditions.items;
    const item = { ...(stuck ?? sampleItem()), kind: 'recovered' as const };
    const resolution = { resolvedAt: '2026-11-16T03:05:00Z', by: null, downtimeMs: 300_000 };
    const lines = async (reason: string, note: string | null) =>
      (
        await renderDigest(sampleMessage({ items: [{ ...item, resolution: { ...resolution, reason, note } }] }))
      ).text.replace(/\s+/g, ' ');
    expect(await lines('retracted', 'it was picked up')).toContain(
      'Stuck at 03:00 UTC, no longer at 03:05 UTC: it was picked up.',
    );
    expect(await lines('succeeded', null)).toContain('Stuck at 03:00 UTC, recovered at 03:05 UTC: the job succeeded.');
    expect(await lines('retracted', null)).toContain('what was seen is so no more.');
  });

  test('of several jobs are listed by job, the sentence of each cause above them', async () => {
    const [stuck] = sampleMessages.conditions.items;
    const [cause] = stuck?.causes ?? [];
    const [job] = cause?.jobs ?? [];
    if (stuck === undefined || cause === undefined || job === undefined) throw new Error('A stuck job was expected.');
    const failed = sampleCause({ error: 'KeyError: 7', jobs: [sampleJob({ jobId: '9' })] });
    const item = {
      ...stuck,
      failures: 3,
      causes: [{ ...cause, count: 2, jobs: [job, { ...job, jobId: '2', targetId: 'b' }] }, failed],
    };
    const text = (await renderDigest(sampleMessage({ items: [item] }))).text.replace(/\s+/g, ' ');
    expect(text).toContain('[ERROR · FAILED, STUCK]');
    expect(text).toContain('2 occurrences: No heartbeat for 22 min');
    expect(text).toContain('- b (job 2, attempts 1 of 3 so far, 03:02 UTC)');
  });

  test('say how many changes are not shown', async () => {
    const item = sampleItem({
      kind: 'update',
      moreDevelopments: 7,
      developments: Array.from({ length: 8 }, (_, n) => ({
        what: 'marked-dead' as const,
        jobId: `${n}`,
        kind: 'stuck',
        at: '2026-11-16T03:05:00Z',
        detail: null,
      })),
    });
    const text = (await renderDigest(sampleMessage({ items: [item] }))).text.replace(/\s+/g, ' ');
    expect(text).toContain('10 earlier changes not shown here. 03:05 UTC: job 3 was marked dead by the janitor.');
  });

  test('and a message composed before there were any is rendered as ever', async () => {
    const { developments: _, moreDevelopments: __, ...old } = sampleItem();
    expect((await renderDigest(sampleMessage({ items: [old] }))).text).toContain('[ERROR] apple/refresh_catalog/songs');
  });
});

describe('order', () => {
  test('is by urgency, whatever order the items came in', async () => {
    const { html, text } = await renderDigest(sampleMessages.mixed);
    const headings = [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1]);
    expect(headings).toEqual(['New', 'Failing again', 'Failed and recovered', 'Working again']);
    expect(text.indexOf('NEW (1)')).toBeLessThan(text.indexOf('WORKING AGAIN (1)'));
    expect(text).toContain('12 more alerts not shown here. List them all with: npx tocsin alerts list');
  });
});

describe('subject', () => {
  test('says Re: for every further message of a thread, and is the same otherwise', async () => {
    const subject = `${'word '.repeat(60)}end`;
    const first = await renderDigest(sampleMessage({ subject }));
    const next = await renderDigest(sampleMessage({ subject, followUp: true }));
    expect(next.subject).toBe(`Re: ${first.subject}`);
    expect(next.subject.length).toBeLessThanOrEqual(150);
  });

  test('is never empty', async () => {
    expect((await renderDigest(sampleMessage({ subject: '\r\n\u200b' }))).subject).toBe('Tocsin');
  });
});

describe('size', () => {
  const bytesOf = ({ html, text }: RenderedDigest): number => quotedPrintableBytes(html) + quotedPrintableBytes(text);
  /** How many items a part shows, by their ids. */
  const idsIn = (part: string): number => new Set(part.match(/\b[0-9a-f]{8}(?=[;)<\s])/g)).size;

  test('a hundred failures stay under the bounds with every alert named in both parts', async () => {
    const mail = await renderDigest(sampleMessages.hundredFailures);
    expect(bytesOf(mail)).toBeLessThanOrEqual(partsBytesMax);
    expect(quotedPrintableBytes(mail.text)).toBeLessThanOrEqual(textBytesMax);
    for (const item of sampleMessages.hundredFailures.items) {
      expect(mail.html).toContain(item.title);
      expect(mail.text).toContain(item.title);
    }
  });

  test('the first items are told in full, the next in brief, the last in one line each', async () => {
    const { html, text } = await renderDigest(sampleMessages.hundredFailures);
    expect(html.split('class="k"')).toHaveLength(51);
    expect(
      html.match(/<li>Error: <a href="https:\/\/tocsin[^"]+">apple\/refresh_catalog\/artist-13663 failed \(/g),
    ).toHaveLength(1);
    expect(text.match(/Admin page: /g)?.length).toBeGreaterThan(10);
    const lines = text.slice(text.indexOf('In one line each; npx tocsin alerts show ID tells all:')).split('\n');
    expect(lines.filter((line) => /^- \[[A-Z]+\] apple\S+ failed \([0-9a-f]{8}\)$/.test(line)).length).toBeGreaterThan(
      40,
    );
  });

  test('a line says how many failures and alerts it stands for', async () => {
    const items = Array.from({ length: 60 }, () => sampleItem({ alerts: 20, failures: 24, occurrences: 24 }));
    const { html, text } = await renderDigest(sampleMessage({ items }));
    for (const part of [seen(html), text.replace(/\s+/g, ' ')])
      expect(part).toContain('apple/refresh_catalog/songs failed (3f2a9c1e; 24 failures; in 20 alerts)');
  });

  test('items that do not fit are counted in each part, the same ones every time', async () => {
    const items = Array.from({ length: 100 }, (_, n) =>
      sampleItem({
        alerts: 2,
        alertId: `${(0xa0000000 + n).toString(16)}-7c1d-5e2f-9a3b-0242ac120002`,
        title: `jöb ${n} `.repeat(22),
        tocsinUrl: `https://tocsin.example.com/${'a'.repeat(1_500)}/${n}`,
        adminUrl: `https://admin.example.com/${'b'.repeat(400)}`,
      }),
    );
    const message = sampleMessage({ items, omittedAlerts: 7 });
    const mail = await renderDigest(message);
    expect(bytesOf(mail)).toBeLessThanOrEqual(partsBytesMax);
    expect(quotedPrintableBytes(mail.text)).toBeLessThanOrEqual(textBytesMax);
    const inHtml = idsIn(seen(mail.html));
    const inText = idsIn(mail.text);
    expect(inHtml).toBeGreaterThan(20);
    // Text has room for more: its lines carry no links.
    expect(inText).toBeGreaterThan(inHtml);
    expect(inText).toBeLessThan(100);
    for (const [part, shown] of [
      [seen(mail.html), inHtml],
      [mail.text.replace(/\s+/g, ' '), inText],
    ] as const) {
      expect(part).toContain(`${(100 - shown) * 2 + 7} more alerts not shown here`);
    }
    expect(await renderDigest(message)).toEqual(mail);
  });

  // Seconds of rendering where the machine does other things as well.
  test('even one monstrous item fits', { timeout: 60_000 }, async () => {
    const long = '"&<>'.repeat(5_000);
    const url = `https://example.com/?${'&a'.repeat(900)}`;
    const job = sampleJob({ source: long, jobType: long, targetId: long, adminUrl: url });
    const item = sampleItem({
      title: long,
      source: long,
      jobType: long,
      targetId: long,
      adminUrl: url,
      tocsinUrl: url,
      acknowledgedBy: null,
      chain: {
        name: long,
        run: long,
        missing: Array.from({ length: 100 }, () => long),
        lastGreenAt: long,
        failedRuns: 1,
      },
      causes: Array.from({ length: 50 }, () =>
        sampleCause({ error: long, jobs: Array.from({ length: 50 }, () => job) }),
      ),
      escalation: {
        level: 2,
        name: long,
        afterMs: 1,
        toldBefore: Array.from({ length: 50 }, () => ({ channel: long, at: long })),
      },
      lapse: { by: long, acknowledgedAt: long, reason: 'time' },
      predecessor: { alertId: long, resolvedAt: long, recentCount: 5 },
    });
    const mail = await renderDigest(
      sampleMessage({
        headline: long,
        route: long,
        items: Array.from({ length: 120 }, () => item),
        notices: Array.from({ length: 50 }, () => long),
      }),
    );
    expect(bytesOf(mail)).toBeLessThanOrEqual(partsBytesMax);
    for (const part of [seen(mail.html), mail.text]) expect(part).toMatch(/\d+ more alerts not shown here/);
  });
});

describe('plain text', () => {
  test('keeps to 78 columns except for links', async () => {
    for (const message of Object.values(sampleMessages)) {
      const { text } = await renderDigest(message);
      expect(text.split('\n').filter((line) => line.length > 78 && !line.includes('https://'))).toEqual([]);
    }
  });

  test('foreign text cannot draw a heading or a separator of ours', async () => {
    const error = `x\n${'='.repeat(78)}\nRESOLVED (1)\n-- \nSent by Tocsin`;
    const { text } = await renderDigest(sampleMessage({ items: [sampleItem({ causes: [sampleCause({ error })] })] }));
    expect(text.match(/^=+$/gm)).toHaveLength(1);
    expect(text).not.toMatch(/^RESOLVED/m);
    expect(text.match(/^-- $/gm)).toHaveLength(1);
    expect(text.match(/^Sent by/gm)).toHaveLength(1);
  });
});

describe('hostile text', () => {
  const hostile = `<script>alert(1)</script><img src=x onerror=y>\r\nBcc: eve@example.com\u0000\u001b[31m\u202e\u200b<!channel>"'${'w'.repeat(3_000)}`;

  test('comes out of every field as harmless visible text', async () => {
    const job = sampleJob({
      table: hostile,
      jobId: hostile,
      source: hostile,
      jobType: hostile,
      targetId: hostile,
      kind: hostile,
      failedAt: hostile,
      adminUrl: `javascript:${hostile}`,
    });
    const item = sampleItem({
      alertId: hostile,
      title: hostile,
      source: hostile,
      jobType: hostile,
      targetId: hostile,
      since: hostile,
      lastFailedAt: hostile,
      acknowledgedBy: hostile,
      adminUrl: `https://x.example/"onclick="a`,
      tocsinUrl: 'javascript:alert(1)',
      chain: { name: hostile, run: hostile, missing: [hostile], lastGreenAt: hostile, failedRuns: 1 },
      causes: [sampleCause({ signature: hostile, error: hostile, jobs: [job, job] }), sampleCause({ error: hostile })],
      escalation: { level: 2, name: hostile, afterMs: 1, toldBefore: [{ channel: hostile, at: hostile }] },
      lapse: { by: hostile, acknowledgedAt: hostile, reason: 'time' },
      predecessor: { alertId: hostile, resolvedAt: hostile, recentCount: 2 },
      resolution: { resolvedAt: hostile, reason: hostile, by: hostile, downtimeMs: Number.NaN },
    });
    const mail = await renderDigest(
      sampleMessage({
        subject: hostile,
        headline: hostile,
        route: hostile,
        notices: [hostile],
        composedAt: hostile,
        items: (['new', 'again', 'escalated', 'lapsed', 'recovered', 'resolved'] as const).map((kind) => ({
          ...item,
          kind,
        })),
      }),
    );
    expect(mail.subject.length).toBeLessThanOrEqual(150);
    expect(mail.subject).not.toMatch(/[\p{Cc}\u200b\u202e]/u);
    expect(mail.html).not.toMatch(/<script|<img|onerror=y>|<!channel|javascript:|" *onclick/i);
    expect(mail.html).toContain('&lt;script&gt;');
    for (const part of [mail.html, mail.text])
      expect(part.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u200b-\u200f\u202a-\u202e]/u);
    expect(mail.text).not.toMatch(/^Bcc:/m);
  });
});

describe('the HTML', () => {
  test('loads nothing and tracks nobody', async () => {
    const { html } = await renderDigest(sampleMessages.fortyJobs);
    expect(html).not.toMatch(/<(?:img|script|link|iframe|object|form)\b|url\(|@import|@font-face|src=/i);
  });

  test('names its language and both colour schemes, and marks its tables as layout', async () => {
    const { html } = await renderDigest(sampleMessages.fortyJobs);
    expect(html).toMatch(/<html[^>]* lang="en"/);
    expect(html).toContain('<meta name="color-scheme" content="light dark"/>');
    expect(html).toContain('@media (prefers-color-scheme:dark)');
    const tables = html.match(/<table[^>]*>/g) ?? [];
    expect(tables.length).toBeGreaterThan(4);
    for (const table of tables) expect(table).toContain('role="presentation"');
  });

  test('keeps its style sheets short enough for Gmail, which drops more than 8,192 characters', async () => {
    const { html } = await renderDigest(sampleMessages.recovered);
    const sheets = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map((match) => match[1] ?? '');
    expect(sheets).toHaveLength(2);
    expect(sheets.join('').length).toBeLessThan(8_192);
  });
});
