import type { DomainEvent, EventNamed } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { cleanLine } from './clean-line.ts';
import { jobName, shortId } from './job-name.ts';
import { leaseText } from './lease-text.ts';
import { counted, listed } from './lines.ts';
import { utcTime } from './moment.ts';
import { muteText, untilText } from './mute-text.ts';
import { stormText } from './storm-text.ts';

/** What an event says beyond its name, in one clean line. */
export const eventFacts = (event: DomainEvent): string => cleanLine(facts(event));

const facts = (event: DomainEvent): string => {
  switch (event.type) {
    case 'FailureDetected': {
      const { data } = event;
      const attempts = data.attempts === null ? '' : `, attempt ${data.attempts} of ${data.maxAttempts ?? '?'}`;
      const flapping =
        data.opening?.flapping == null
          ? ''
          : ` (flapping: ${counted(data.opening.flapping.count, 'alert')} within ${formatDuration(data.opening.flapping.withinMs)})`;
      return `${jobName(data)} ${data.kind}${attempts}, job ${data.jobId}${flapping}: ${data.error ?? 'no error text'}`;
    }
    case 'SuccessDetected':
      return `${[event.data.jobType, event.data.targetId].filter((part) => part !== null).join('/')} succeeded at ${utcTime(event.data.finishedAt)}, job ${event.data.jobId}`;
    case 'AlertBatched':
      return `into digest ${shortId(event.data.digestId)} of route ${event.data.route} (${event.data.purpose}), due ${utcTime(event.data.dueAt)}`;
    case 'AlertNotified':
      return `${event.data.channel} accepted digest ${shortId(event.data.digestId)} of route ${event.data.route} at ${utcTime(event.data.acceptedAt)}`;
    case 'NotificationFailed': {
      const { channel, reason, fallback, final } = event.data;
      const then = final ? 'no channel is left, so the news waits for the next digest' : 'another message tells of it';
      return `${channel} gave up (${reason}); ${fallback === null ? then : `${fallback} takes over`}`;
    }
    case 'AlertEscalated': {
      const { level, repeat, escalation, channels, route, afterMs } = event.data;
      const what = repeat === 0 ? `level ${level}` : `step ${level}, repetition ${repeat}`;
      return `${what} of ${escalation} (${listed(channels)}), route ${route}: nobody acknowledged within ${formatDuration(afterMs)}`;
    }
    case 'AlertAcknowledged':
      return `by ${event.data.by} via ${event.data.via}, ${leaseText(event.data.lease)}${event.data.note === null ? '' : `: ${event.data.note}`}`;
    case 'AlertUnacknowledged':
      return `given back by ${event.data.by}`;
    case 'AcknowledgementLapsed':
      return `of ${event.data.by}: ${lapses[event.data.reason]}`;
    case 'SeverityRaised':
      return `${event.data.from} to ${event.data.to}`;
    case 'FailureRetracted': {
      const { kind, jobId, cause, note, endedAt } = event.data;
      return `${kind} no more since ${utcTime(endedAt)}, job ${jobId}: ${note ?? cause}`;
    }
    case 'JobRepaired': {
      const { action, result, jobId, restart, reason } = event.data;
      const what = `${action === 'requeue' ? `requeue${restart === null ? '' : `, restart ${restart}`}` : 'mark dead'}, job ${jobId}: ${result}`;
      return reason === null ? what : `${what}, ${reason}`;
    }
    case 'AlertSilenced': {
      const { silenceId, end, withdrawn } = event.data;
      const taken = withdrawn.length === 0 ? '' : `; its news is taken out of ${counted(withdrawn.length, 'digest')}`;
      return `by ${muteText(silenceId, event.data)} ${untilText(end)}${taken}`;
    }
    case 'AlertUnsilenced': {
      const { silenceId, cause, by } = event.data;
      return `silence ${shortId(silenceId)} ${cause === 'expired' ? 'is over' : `was ended by ${by ?? 'somebody'}`}`;
    }
    case 'ResolutionHeld':
      return `fine again while flapping: resolved at ${utcTime(event.data.until)} if it stays so`;
    case 'FlappingEnded':
      return `it goes on failing since ${utcTime(event.data.since)}, so it is flapping no more`;
    case 'NotificationBounced': {
      const { channel, digestId, reason, fallback } = event.data;
      return `${channel} had accepted digest ${shortId(digestId)}, and it came back (${reason}); ${fallback === null ? 'no channel is left' : `${fallback} takes over`}`;
    }
    case 'AlertResolved':
      return `${event.data.reason}${event.data.by === null ? '' : ` by ${event.data.by}`}, fine since ${utcTime(event.data.resolvedAt)}${event.data.note === null ? '' : `: ${event.data.note}`}`;
    case 'ResolutionNotified':
      return `${event.data.channel} accepted digest ${shortId(event.data.digestId)} of route ${event.data.route} at ${utcTime(event.data.acceptedAt)}`;
    case 'DigestOpened': {
      const { route, purpose, channels, dueAt, storm } = event.data;
      return `route ${route} (${purpose}${storm === null ? '' : `: ${stormText(storm)}`}) to ${channels.join(', ')}, due ${utcTime(dueAt)}`;
    }
    case 'DigestSealed':
      return `${counted(event.data.alerts, 'alert')} in ${counted(event.data.deliveries.length, 'message')}`;
    case 'DigestDelivered':
      return `${event.data.channel} accepted it at ${utcTime(event.data.acceptedAt)}, attempt ${event.data.attempts}`;
    case 'DigestFailed':
      return `${event.data.channel} gave up (${event.data.reason}); ${event.data.fallback === null ? 'no channel is left' : `${event.data.fallback.channel} takes over`}`;
    case 'DigestBounced':
      return `${event.data.channel} had accepted it, and it came back (${event.data.reason}); ${event.data.fallback === null ? 'no channel is left' : `${event.data.fallback.channel} takes over`}`;
    case 'DigestRedriven':
      return `${event.data.by} sends it again through ${event.data.replacement.channel}`;
    default:
      return event satisfies never;
  }
};

const lapses: Readonly<Record<EventNamed<'AcknowledgementLapsed'>['data']['reason'], string>> = {
  time: 'its time is over',
  'signature-change': 'it fails for another reason now',
  failures: 'it has failed as often as it was given for',
};
