import { randomUUID } from 'node:crypto';
import type { Outgoing } from '@tocsin/channels';

/** A message that says of itself that it is a test, in the form of a real one. */
export const testMessage = (now = new Date().toISOString()): Outgoing => {
  const digestId = randomUUID();
  const title = 'tocsin/test_message';
  return {
    deliveryId: randomUUID(),
    attemptId: randomUUID(),
    messageId: digestId,
    rootId: null,
    mayHaveArrived: false,
    message: {
      v: 1,
      digestId,
      threadId: digestId,
      route: 'test',
      purpose: 'window',
      subject: 'Test message of Tocsin: nothing failed',
      headline: 'This is a test. Nothing failed; alerts will look like this.',
      followUp: false,
      severity: 'info',
      items: [
        {
          kind: 'new',
          alertId: digestId,
          alerts: 1,
          title,
          severity: 'info',
          source: 'tocsin',
          jobType: 'test_message',
          targetId: null,
          chain: null,
          failures: 1,
          occurrences: 1,
          causes: [
            {
              signature: 'tocsin:test',
              error: 'This stands where the error of a failed job would be.',
              count: 1,
              jobs: [],
              moreJobs: 0,
            },
          ],
          moreCauses: 0,
          since: now,
          lastFailedAt: now,
          acknowledgedBy: null,
          resolution: null,
          lapse: null,
          escalation: null,
          predecessor: null,
          adminUrl: null,
          tocsinUrl: null,
        },
      ],
      omittedAlerts: 0,
      totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 0 },
      notices: ['This is a test message, sent by hand with: npx tocsin channels test'],
      composedAt: now,
    },
  };
};
