import { createPostgresStore } from '@tocsin/event-store';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { databaseNow, formatDuration } from '@tocsin/runtime';
import { channelTroubleOf } from '../explain/channel-trouble.ts';
import type { ChannelTrouble } from '../explain/channel-trouble.ts';
import { counted, listed } from '../printing/lines.ts';
import { relativeTime } from '../printing/moment.ts';
import { countBounces } from './count-bounces.ts';
import { fail, note, ok, warn } from './finding.ts';
import type { Finding, Patient } from './finding.ts';

/** How far back bounces are looked at. */
const bouncesWithinMs = 7 * 86_400_000;
const recipientsMax = 5;

/** Do the channels take messages, and do their recipients get them? */
export const checkChannels = async ({ config, pool }: Patient): Promise<readonly Finding[]> => {
  const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  const states = await store.read((session) => session.channelStates(Object.keys(config.channels)));
  const now = await databaseNow(pool);
  const troubles = [...states.values()].flatMap((state) => channelTroubleOf(state, now) ?? []);
  const findings = troubles.map((trouble) => troubleFinding(trouble, now));
  return [
    ...(findings.length > 0 ? findings : [ok('channels', 'none is parked, each may be tried')]),
    ...(await bounceFindings({ config, pool })),
  ];
};

const troubleFinding = ({ channel, trouble, detail, since, until }: ChannelTrouble, now: string): Finding => {
  const last = since === null ? '' : `, last tried ${relativeTime(since, now)}`;
  const again =
    Date.parse(until) > Date.parse(now) ? `tried again ${relativeTime(until, now)}` : 'the next message tries it';
  switch (trouble) {
    case 'parked':
      return fail(
        'channels',
        `${channel} is parked: ${detail}${last}; ${again}`,
        `repair its key, account or address, then: npx tocsin channels test ${channel}`,
      );
    case 'circuit-open':
      return warn(
        'channels',
        `${channel} does not answer: ${detail}${last}; ${again}`,
        `see whether its provider works: npx tocsin channels test ${channel} --check`,
      );
    case 'throttled':
      return ok('channels', `${channel} waits: ${detail}; ${again}`);
    default:
      return trouble satisfies never;
  }
};

/** Without SendGrid's Event Webhook all else works; only what bounced is not heard of. */
const bounceFindings = async ({ config, pool }: Pick<Patient, 'config' | 'pool'>): Promise<readonly Finding[]> => {
  const { channels, sendgridWebhookKey } = config;
  const names = Object.keys(channels).filter((name) => channels[name]?.type === 'sendgrid');
  const within = formatDuration(bouncesWithinMs);
  const bounces = await countBounces(pool, bouncesWithinMs, recipientsMax);
  if (bounces.length > 0) {
    const whom = bounces.map(
      ({ recipient, messages, detail }) =>
        `${recipient} (${counted(messages, 'message')}${detail === null ? '' : `: ${detail}`})`,
    );
    return [
      warn(
        'bounces',
        `in the last ${within} messages did not reach ${listed(whom)}, while others got them`,
        'correct the address or take it out of the channel, and off the suppression list of the provider',
      ),
    ];
  }
  if (names.length === 0) return [];
  return [
    sendgridWebhookKey === undefined
      ? note(
          'bounces',
          `what comes back from SendGrid (${listed(names)}) is not heard of: no Event Webhook is set up`,
          'set SENDGRID_WEBHOOK_KEY, see docs/configuration.md',
        )
      : ok('bounces', `no message of the last ${within} came back from one of several recipients`),
  ];
};
