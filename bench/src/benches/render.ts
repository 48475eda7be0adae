import type { DigestMessage, MessageItem } from '@tocsin/alert-model';
import { renderDigest } from '@tocsin/email-templates';
import type { Bench, Finding } from '../bench.ts';
import { formatKilobytes, formatMs } from '../measure/format.ts';
import { median } from '../measure/quantile.ts';

const warmUps = 20;
const rendersMeasured = 50;
const budgetMs = 50;
const budgetBytes = 100 * 1_024;

/** How long a mail takes to render, and how large it becomes. */
export const render: Bench = {
  name: 'render',
  summary: 'a digest rendered to HTML and text, every failure an item of its own; median of 50',
  run: async () => [...(await measure(1)), ...(await measure(100))],
};

const measure = async (failures: number): Promise<readonly Finding[]> => {
  const message = messageOf(failures);
  const coldMs = (await timed(message)).ms;
  for (let run = 0; run < warmUps; run += 1) await renderDigest(message);
  const times: number[] = [];
  for (let run = 0; run < rendersMeasured; run += 1) times.push((await timed(message)).ms);
  const { html, text } = (await timed(message)).mail;
  const bytes = Buffer.byteLength(html) + Buffer.byteLength(text);
  const name = `digest of ${failures}:`;
  const promised = failures === 100;
  return [
    { what: `${name} first in the process`, result: formatMs(coldMs) },
    {
      what: `${name} warm`,
      result: formatMs(median(times)),
      ...(promised ? { budget: `<= ${budgetMs} ms`, kept: median(times) <= budgetMs } : {}),
    },
    {
      what: `${name} HTML + text`,
      result: `${formatKilobytes(bytes)} (${formatKilobytes(Buffer.byteLength(html))} + ${formatKilobytes(Buffer.byteLength(text))})`,
      budget: '<= 100 KB',
      kept: bytes <= budgetBytes,
    },
  ];
};

const timed = async (message: DigestMessage) => {
  const startedMs = performance.now();
  const mail = await renderDigest(message);
  return { mail, ms: performance.now() - startedMs };
};

const instant = '2026-11-16T03:02:41.120000Z';
const digestId = '8d7f3c52-11aa-4b6e-8f00-5a1b2c3d4e5f';

/** The worst case of its size: nothing folds, every failure has its own cause with a long error. */
const messageOf = (failures: number): DigestMessage => ({
  v: 1,
  digestId,
  threadId: digestId,
  route: 'everything',
  purpose: 'window',
  subject: `[Tocsin] ${failures} failed`,
  headline: `${failures} jobs failed for good`,
  followUp: false,
  severity: 'error',
  items: Array.from({ length: failures }, (_, index) => itemOf(index)),
  omittedAlerts: 0,
  totals: { failures, alerts: failures, resolved: 0, stillOpen: 0 },
  notices: [],
  composedAt: instant,
});

const itemOf = (index: number): MessageItem => {
  const targetId = `album-${index}`;
  const jobType = `refresh_catalog_${index}`;
  const adminUrl = `https://admin.example.com/jobs?source=apple&type=${jobType}&target=${targetId}`;
  const alertId = `3f2a9c1e-7c1d-4e2f-9a3b-${String(index).padStart(12, '0')}`;
  return {
    kind: 'new',
    alertId,
    alerts: 1,
    title: `apple/${jobType}/${targetId}`,
    severity: 'error',
    source: 'apple',
    jobType,
    targetId,
    chain: null,
    failures: 1,
    occurrences: 1,
    causes: [
      {
        signature: `s1:cause ${index}`,
        error: `requests.exceptions.HTTPError: 502 Server Error for url: https://api.example.com/v1/catalog/${targetId}?offset=${index} ${'and so on '.repeat(25)}`,
        count: 1,
        jobs: [
          {
            table: 'research_jobs',
            jobId: `0190c1f4-7b5e-7d3a-9a3b-${String(index).padStart(12, '0')}`,
            source: 'apple',
            jobType,
            targetId,
            kind: 'failed',
            attempts: 3,
            maxAttempts: 3,
            failedAt: instant,
            adminUrl,
            notes: [],
          },
        ],
        moreJobs: 0,
      },
    ],
    moreCauses: 0,
    since: instant,
    lastFailedAt: instant,
    acknowledgedBy: null,
    resolution: null,
    lapse: null,
    escalation: null,
    predecessor: null,
    adminUrl,
    tocsinUrl: `https://tocsin.example.com/alerts/${alertId}`,
  };
};
