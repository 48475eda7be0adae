import type { FrozenEscalation, FrozenRoute } from './policy.ts';
import { isCondition } from './signal.ts';
import type { FailureSignal } from './signal.ts';

/** Source of failures of Tocsin itself. */
export const ownSource = 'tocsin';
/** Name of the watched table that Tocsin writes failed jobs into, to see whether failures arrive. */
export const canaryTable = 'tocsin_canary';
/** Name of the route that canaries take, and of the channel they end in: files that nobody is told of. */
export const canaryRoute = 'tocsin_canary';
export const canaryChannel = 'tocsin_canary';
/** Where Tocsin's own failures are told when there is no other channel: files. */
const lastResort = 'outbox';

type OwnSubject = Pick<FailureSignal, 'source' | 'jobType' | 'targetId' | 'kind' | 'table'>;

/** Whether a failure is one that Tocsin made itself. */
export const isCanary = ({ table, source }: Pick<FailureSignal, 'table' | 'source'>): boolean =>
  table === canaryTable && source === ownSource;

/** Parts of Tocsin by the job type of their alerts. */
const components: Readonly<Record<string, string>> = {
  detector: 'Detector',
  notifier: 'Notifier',
  audit: 'Audit',
  canary: 'Canary',
};

/** Whether a failure is about a part of Tocsin: a channel, a worker, its audit, its canary. */
export const isComponent = ({ source, jobType }: Pick<FailureSignal, 'source' | 'jobType'>): boolean =>
  source === ownSource && (jobType === 'channel' || Object.hasOwn(components, jobType));

/** How an alert about a part of Tocsin is called: `Channel email`, `Detector`. null when it is about something else. */
export const componentTitle = (signal: OwnSubject): string | null => {
  if (!isComponent(signal)) return null;
  if (signal.jobType === 'channel') return signal.targetId === null ? 'Channels' : `Channel ${signal.targetId}`;
  return components[signal.jobType] ?? null;
};

/**
 * The key where it is not made of the job's names alone: that canaries do not arrive is another problem than a canary, which
 * nobody is told of.
 */
export const componentKey = (signal: OwnSubject): string | null =>
  isComponent(signal) && signal.jobType === 'canary' && isCondition(signal.kind) ? 'job/tocsin/canary/late' : null;

/**
 * How a failure is told, if it is one of Tocsin's own. A canary takes its own route, and no other failure takes that. For
 * everything else of Tocsin's every channel there is may take over; a part of Tocsin is told of at once, at any hour, and
 * not through the channel that is broken.
 *
 * @param routes those that match
 * @param channels every channel there is, those that reach people first
 */
export const routesOfOwn = (
  signal: OwnSubject,
  routes: readonly FrozenRoute[],
  channels: readonly string[],
): readonly FrozenRoute[] => {
  if (isCanary(signal)) {
    const own = routes.filter(({ name }) => name === canaryRoute);
    return own.length > 0 ? own : [wayOfCanaries];
  }
  const people = routes.filter((route) => route.channels.some((channel) => channel !== canaryChannel));
  if (signal.source !== ownSource) return people;
  const broken = signal.jobType === 'channel' ? signal.targetId : null;
  const works = (channel: string): boolean => channel !== broken && channel !== canaryChannel;
  const others = channels.filter(works);
  return people.map((route) => {
    const left = route.channels.filter(works);
    const told = left.length > 0 ? left : others.length > 0 ? others : [lastResort];
    const fallback = [...new Set([...route.fallback.filter(works), ...others])].filter((name) => !told.includes(name));
    const escalation = route.escalation === null ? null : withoutChannel(route.escalation, works);
    const reachable = { ...route, channels: told, fallback, escalation };
    return isComponent(signal) ? { ...reachable, windowMs: 0, quietHours: [] } : reachable;
  });
};

const withoutChannel = (escalation: FrozenEscalation, works: (channel: string) => boolean): FrozenEscalation | null => {
  const levels = escalation.levels
    .map((level) => ({ ...level, channels: level.channels.filter(works) }))
    .filter((level) => level.channels.length > 0);
  return levels.length === 0 ? null : { ...escalation, levels };
};

const wayOfCanaries: FrozenRoute = {
  name: canaryRoute,
  channels: [canaryChannel],
  fallback: [],
  windowMs: 0,
  firstAtOnce: false,
  quietHours: [],
  breakThrough: [],
  escalation: null,
};
