import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { SendGridMail } from '@tocsin/testing';
import { slackSigningSecret } from './providers.ts';
import type { Worker } from './worker.ts';

/** Environment of a notifier that listens on a port of its own. */
export const anyPort = { TOCSIN_NOTIFIER_PORT: '0' };

/** The port a worker listens on, as its log has it. */
export const portOf = async (worker: Worker): Promise<number> => {
  const entry = await worker.waitForLog('its port', ({ msg }) => msg === 'health and metrics can be asked for');
  return Number(entry['port']);
};

/** What a hook answered; null when the connection broke instead. */
export type HookAnswer = number | null;

/** SendGrid's side of its Event Webhook. */
export interface SendGridHook {
  /** Goes where SENDGRID_WEBHOOK_KEY goes. */
  readonly publicKey: string;
  /** Posts events, signed. @param to a notifier, or its port @param forged signs with another key */
  readonly post: (to: Worker | number, events: readonly object[], forged?: boolean) => Promise<HookAnswer>;
}

/** Makes a key pair as SendGrid does when signature verification is switched on. */
export const createSendGridHook = (): SendGridHook => {
  const [own, other] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }));
  if (own === undefined || other === undefined) throw new Error('There are no keys.');
  return {
    publicKey: own.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    post: async (to, events, forged = false) => {
      const body = JSON.stringify(events);
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const signature = sign('sha256', Buffer.from(timestamp + body), (forged ? other : own).privateKey);
      const port = typeof to === 'number' ? to : await portOf(to);
      return post(`http://127.0.0.1:${port}/hooks/sendgrid`, body, {
        'Content-Type': 'application/json',
        'X-Twilio-Email-Event-Webhook-Timestamp': timestamp,
        'X-Twilio-Email-Event-Webhook-Signature': signature.toString('base64'),
      });
    },
  };
};

/** What SendGrid says of a mail later on. @param event `delivered`, `bounce`, `dropped`, `deferred` … */
export const sendGridEvent = (
  mail: Pick<SendGridMail, 'customArgs' | 'to' | 'providerMessageId'>,
  event: string,
): object => ({
  email: mail.to[0],
  timestamp: Math.floor(Date.now() / 1_000),
  event,
  ...(event === 'bounce' ? { type: 'bounce', reason: '550 5.1.1 no such user' } : {}),
  sg_event_id: randomUUID(),
  sg_message_id: mail.providerMessageId,
  ...mail.customArgs,
});

/** Somebody clicks on Acknowledge. @param secret of the app; another one than the right one is a forgery */
export const clickAcknowledge = async (
  worker: Worker,
  deliveryId: string,
  secret: string = slackSigningSecret,
): Promise<HookAnswer> => {
  const payload = {
    type: 'block_actions',
    user: { id: 'U012ABC', username: 'ada' },
    actions: [{ type: 'button', action_id: 'tocsin_acknowledge', block_id: 'tocsin_actions', value: deliveryId }],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return post(`http://127.0.0.1:${await portOf(worker)}/hooks/slack`, body, {
    'Content-Type': 'application/x-www-form-urlencoded',
    'X-Slack-Request-Timestamp': timestamp,
    'X-Slack-Signature': `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`,
  });
};

const post = async (url: string, body: string, headers: Readonly<Record<string, string>>): Promise<HookAnswer> => {
  try {
    const response = await fetch(url, { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
};
