import type { DigestMessage } from '@tocsin/alert-model';
import { renderDigest } from '@tocsin/email-templates';

/** Renders an empty message, which loads the templates and has them compiled: a quarter of a second, once per process. */
export const warmUpMail = async (): Promise<void> => {
  await renderDigest(nothing);
};

const nothing: DigestMessage = {
  v: 1,
  digestId: 'none',
  threadId: 'none',
  route: 'none',
  purpose: 'heartbeat',
  subject: 'Nothing',
  headline: 'Nothing',
  followUp: false,
  severity: 'info',
  items: [],
  omittedAlerts: 0,
  totals: { failures: 0, alerts: 0, resolved: 0, stillOpen: 0 },
  notices: [],
  composedAt: '1970-01-01T00:00:00Z',
};
