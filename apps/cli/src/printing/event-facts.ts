import type { DomainEvent } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { cleanLine } from './clean-line.ts';
import { jobName, shortId } from './job-name.ts';
import { leaseText } from './lease-text.ts';
import { counted } from './lines.ts';
import { utcTime } from './moment.ts';

/** What an event says beyond its name, in one clean line. */
export const eventFacts = (event: DomainEvent): string => cleanLine(facts(event));

const facts = (event: DomainEvent): string => {
  switch (event.type) {
    case 'FailureDetected': {
      const { data } = event;
      const attempts = data.attempts === null ? '' : `, attempt ${data.attempts} of ${data.maxAttempts ?? '?'}`;
      return `${jobName(data)} ${data.kind}${attempts}, job ${data.jobId}: ${data.error ?? 'no error text'}`;
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
    case 'AlertEscalated':
      return `level ${event.data.level}: ${event.data.escalation} (${event.data.channels.join(', ')}), nobody acknowledged within ${formatDuration(event.data.afterMs)}`;
    case 'AlertAcknowledged':
      return `by ${event.data.by} via ${event.data.via}, ${leaseText(event.data.lease)}${event.data.note === null ? '' : `: ${event.data.note}`}`;
    case 'AlertUnacknowledged':
      return `given back by ${event.data.by}`;
    case 'AcknowledgementLapsed':
      return `of ${event.data.by}: ${event.data.reason === 'time' ? 'its time is over' : 'it fails for another reason now'}`;
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
    case 'AlertResolved':
      return `${event.data.reason}${event.data.by === null ? '' : ` by ${event.data.by}`}, fine since ${utcTime(event.data.resolvedAt)}${event.data.note === null ? '' : `: ${event.data.note}`}`;
    case 'ResolutionNotified':
      return `${event.data.channel} accepted digest ${shortId(event.data.digestId)} of route ${event.data.route} at ${utcTime(event.data.acceptedAt)}`;
    case 'DigestOpened':
      return `route ${event.data.route} (${event.data.purpose}) to ${event.data.channels.join(', ')}, due ${utcTime(event.data.dueAt)}`;
    case 'DigestSealed':
      return `${counted(event.data.alerts, 'alert')} in ${counted(event.data.deliveries.length, 'message')}`;
    case 'DigestDelivered':
      return `${event.data.channel} accepted it at ${utcTime(event.data.acceptedAt)}, attempt ${event.data.attempts}`;
    case 'DigestFailed':
      return `${event.data.channel} gave up (${event.data.reason}); ${event.data.fallback === null ? 'no channel is left' : `${event.data.fallback.channel} takes over`}`;
    default:
      return event satisfies never;
  }
};
