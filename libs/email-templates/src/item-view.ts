import {
  isAboutRun,
  isConditionWord,
  isNoRow,
  isSuspected,
  jobsByKind,
  occurrenceNoun,
  wasWhat,
} from '@tocsin/alert-model';
import type { MessageItem, Severity } from '@tocsin/alert-model';
import { attemptsText } from './attempts-text.ts';
import { causeView } from './cause-view.ts';
import type { CauseView } from './cause-view.ts';
import { cleanLine, cleanUrl } from './clean-text.ts';
import { counted, formatCount } from './format-count.ts';
import { between, formatDuration, shortTime } from './format-time.ts';
import { isRetracted, kindLabel } from './kind-label.ts';
import { storyLines } from './story-lines.ts';

const titleCharactersMax = 200;
const nameCharactersMax = 120;
const personCharactersMax = 80;
const detailCharactersMax = 200;
const labelCharactersMax = 40;
/** Most further fields of a row shown. */
const detailsShownMax = 5;
/** Most alerts whose ids one command names. */
const idsInCommandMax = 10;
/** Most causes shown of one item, and of one item in brief. */
export const causesShownMax = 5;
const causesInBriefMax = 1;
/** Characters of an alert's id that the command line takes for the whole. */
const alertIdCharacters = 8;

/** Which colour an item has; the word beside it says the same. */
export type Tone = Severity | 'good';

/** One item in words. */
export interface ItemView {
  readonly tone: Tone;
  /** `Critical`, `Error · stuck`, or `Resolved` where there is nothing left to do. */
  readonly label: string;
  /** How long it lasts or lasted, `for 2 h 5 min`. */
  readonly span: string;
  readonly title: string;
  /** `apple / refresh_catalog / songs`; null when the title already says it. */
  readonly job: string | null;
  /** Full sentences, most important first. */
  readonly story: readonly string[];
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly causes: readonly CauseView[];
  readonly moreCauses: string | null;
  readonly links: readonly { readonly label: string; readonly url: string }[];
  /** The command that acknowledges it, and what to call it; null when there is nothing to acknowledge. */
  readonly acknowledge: { readonly label: string; readonly command: string } | null;
  /** All of it in one line, its alert's id included. */
  readonly line: string;
  /** How much of it is to be shown: all, what failed and why, or `line` alone. */
  readonly detail: 'full' | 'brief' | 'line';
}

const severityWords: Readonly<Record<Severity, string>> = {
  info: 'Info',
  warning: 'Warning',
  error: 'Error',
  critical: 'Critical',
};

/** Puts one item into words. With less than full detail it keeps what failed, why, since when and what to do, and drops the lists. */
export const itemView = (
  item: MessageItem,
  options: {
    readonly composedAt: string;
    readonly detail: ItemView['detail'];
    /** Default: false. */
    readonly inIncident?: boolean;
  },
): ItemView => {
  const { inIncident = false } = options;
  const brief = options.detail !== 'full';
  const over = item.kind === 'recovered' || item.kind === 'resolved';
  const isUpdate = item.kind === 'update';
  const causesMax = brief ? causesInBriefMax : causesShownMax;
  const hiddenCauses = item.moreCauses + Math.max(0, item.causes.length - causesMax);
  const name = cleanLine(item.title, titleCharactersMax);
  const title = titleOf(item, name);
  const job = jobPath(item);
  const tocsinUrl = cleanUrl(item.tocsinUrl);
  return {
    tone: over ? 'good' : item.severity,
    label: labelOf(item),
    span: spanOf(item, options.composedAt),
    title: title || job,
    job: item.alerts > 1 || saysAlready(title, job) || isAboutMore(item) ? null : job,
    story: storyLines(item),
    facts: factsOf(item, { brief }),
    // What was wrong was told before; here it would read as if it still were so.
    causes:
      isUpdate || isUnsampled(item)
        ? []
        : item.causes
            .slice(0, causesMax)
            .map((cause) => causeView(cause, item, { brief, inIncident, moreUrl: tocsinUrl })),
    moreCauses:
      hiddenCauses > 0 && !isUpdate && !isUnsampled(item)
        ? `${counted(hiddenCauses, 'more cause')} not shown here.`
        : null,
    links: linksOf(item, tocsinUrl, inIncident),
    acknowledge: over || item.acknowledgedBy !== null ? null : acknowledgeCommand(item, inIncident),
    line: `${name || job} (${[shortId(item), failuresText(item)].filter((part) => part !== null).join('; ')})`,
    detail: options.detail,
  };
};

/** Of several alerts the title says how many first. */
const titleOf = (item: MessageItem, name: string): string => {
  if (item.alerts === 1) return name;
  const count = item.failures > 0 ? counted(item.failures, occurrenceNoun(item)) : counted(item.alerts, 'alert');
  return name === '' ? count : `${count}: ${name}`;
};

/** A digest of what is open may come without the texts of the failures. */
const isUnsampled = ({ kind, causes }: MessageItem): boolean =>
  kind === 'open' && causes.every(({ jobs, error }) => jobs.length === 0 && error === null);

const labelOf = (item: MessageItem): string => {
  const severity = severityWords[item.severity];
  const kinds = kindLabel(item);
  switch (item.kind) {
    case 'recovered':
    case 'resolved': {
      const how = isRetracted(item)
        ? `No longer ${wasWhat(item) ?? 'so'}`
        : item.kind === 'recovered'
          ? 'Recovered'
          : 'Resolved';
      return `${how}, was ${severity.toLowerCase()}`;
    }
    case 'update':
      return `Still open, ${severity.toLowerCase()}`;
    case 'worse':
      return item.severityBefore == null
        ? severity
        : `${severity}, was ${severityWords[item.severityBefore].toLowerCase()}`;
    case 'escalated':
    case 'lapsed':
    case 'settled':
    case 'flapping':
    case 'new':
    case 'regressed':
    case 'again':
    case 'unsilenced':
    case 'open':
      // A plain failure is what a reader expects.
      return kinds === '' || kinds === 'failed' ? severity : `${severity} · ${kinds}`;
    default:
      return item.kind satisfies never;
  }
};

const jobPath = (item: MessageItem): string =>
  [item.source, item.jobType, item.targetId]
    .filter((name) => name !== null)
    .map((name) => cleanLine(name, nameCharactersMax))
    .join(' / ');

const saysAlready = (title: string, job: string): boolean =>
  title.replaceAll(' ', '').includes(job.replaceAll(' ', ''));

/** These are about a watched table or a part of Tocsin. */
const ownKinds: ReadonlySet<string> = new Set(['unhealthy', 'unreadable', 'component']);

/** The job named is one of many, or none: a schedule, a run, a watched table. */
const isAboutMore = (item: MessageItem): boolean => {
  const kinds = [...jobsByKind(item).keys()];
  return kinds.length > 0 && kinds.every((kind) => isAboutRun(kind) || ownKinds.has(kind));
};

const spanOf = (item: MessageItem, composedAt: string): string => {
  if (item.resolution !== null) return `after ${formatDuration(item.resolution.downtimeMs)}`;
  const ms = between(item.since, composedAt);
  // What began this very second has not lasted yet.
  return ms === null || ms < 1_000 ? '' : `for ${formatDuration(ms)}`;
};

const factsOf = (item: MessageItem, { brief }: { readonly brief: boolean }): ItemView['facts'] => {
  const facts: { label: string; value: string }[] = [];
  const add = (label: string, value: string | null): void => {
    if (value !== null && value !== '') facts.push({ label, value });
  };
  const acknowledged =
    item.acknowledgedBy === null ? null : `by ${cleanLine(item.acknowledgedBy, personCharactersMax)}`;
  const onlyJob = item.causes.length === 1 && item.moreCauses === 0 ? item.causes[0] : undefined;
  const job =
    onlyJob !== undefined && onlyJob.jobs.length === 1 && onlyJob.moreJobs === 0 ? onlyJob.jobs[0] : undefined;
  // Of a job under suspicion that is over, nobody knows here how many attempts it took.
  if (job !== undefined && item.kind !== 'update' && !(item.resolution !== null && isConditionWord(job.kind)))
    add(job.attempts === null ? 'Ended' : 'Attempts', attemptsText(job.attempts, job.maxAttempts, job.kind));
  if (!brief && job !== undefined && !isNoRow(job.jobId) && item.kind !== 'update')
    add('Job', cleanLine(job.jobId, nameCharactersMax));
  if (item.kind === 'recovered') {
    // Its one line says when; the rest would be noise about something that is over.
    add('Acknowledged', acknowledged);
    return facts;
  }
  const suspected = isSuspected(item);
  add(sinceLabel(item), shortTime(item.since));
  if (shortTime(item.lastFailedAt) !== shortTime(item.since) && !brief)
    add(suspected ? 'Latest' : 'Last failed', shortTime(item.lastFailedAt));
  // The title counts already.
  const isCounted =
    item.alerts > 1 && item.occurrences <= item.alerts && (item.failures === item.alerts || item.failures === 0);
  if (item.kind !== 'resolved' && !isCounted)
    add(occurrenceNoun(item) === 'failure' ? 'Failures' : 'Occurrences', failuresText(item));
  else if (item.chain !== null && item.chain.failedRuns > 0) add('Failed runs', formatCount(item.chain.failedRuns));
  if (item.chain !== null && !brief) {
    const run = item.chain.run === null ? '' : `, run of ${shortTime(item.chain.run)}`;
    add('Chain', `${cleanLine(item.chain.name, nameCharactersMax)}${run}`);
  }
  if (!brief) facts.push(...detailFacts(item));
  add('Acknowledged', acknowledged);
  return facts;
};

/** What the row says of the job beyond its identity; not of one that is fine again. */
const detailFacts = ({ details, resolution, causes }: MessageItem): ItemView['facts'] => {
  if (details == null || resolution !== null) return [];
  const { stage, progress, fields } = details;
  const said =
    stage !== null && causes.some(({ jobs }) => jobs.some(({ notes }) => notes.some((note) => note.includes(stage))));
  const at = [stage, progress === null ? null : `${formatCount(progress)} %`]
    .filter((part) => part !== null)
    .join(', ');
  return [...(said || at === '' ? [] : [['Stage', at] as const]), ...Object.entries(fields).slice(0, detailsShownMax)]
    .map(([label, value]) => ({
      label: cleanLine(label, labelCharactersMax),
      value: cleanLine(value, detailCharactersMax),
    }))
    .filter(({ label, value }) => label !== '' && value !== '');
};

/** Since when, by what it counts from: the words of a condition may name a longer time, such as that of the last heartbeat. */
const sinceLabel = (item: MessageItem): string => {
  if (item.kind === 'resolved') return occurrenceNoun(item) === 'failure' ? 'First failed' : 'Began';
  if (!isSuspected(item)) return 'Since';
  const [kind = ''] = jobsByKind(item).keys();
  return sinceLabels[kind] ?? 'Since';
};
const sinceLabels: Readonly<Record<string, string>> = {
  stuck: 'Stuck since',
  stalled: 'Too late since',
  backlog: 'Too late since',
  overdue: 'Overdue since',
  deadline: 'Late since',
};

const failuresText = (item: MessageItem): string | null => {
  const causes = item.causes.length + item.moreCauses;
  const parts: string[] = [];
  if (item.failures > 1)
    parts.push(counted(item.failures, occurrenceNoun(item)) + (causes > 1 ? `, ${counted(causes, 'cause')}` : ''));
  if (item.occurrences > Math.max(1, item.failures)) parts.push(`${formatCount(item.occurrences)} since it began`);
  if (item.alerts > 1) parts.push(`in ${formatCount(item.alerts)} alerts`);
  return parts.length === 0 ? null : parts.join('; ');
};

const linksOf = (item: MessageItem, tocsinUrl: string | null, inIncident: boolean): ItemView['links'] => {
  // Of several alerts each job has its own.
  const adminUrl = item.alerts > 1 ? null : cleanUrl(item.adminUrl);
  return [
    // An incident has the list once, above.
    ...(tocsinUrl === null || (inIncident && item.alerts > 1)
      ? []
      : [{ label: item.alerts > 1 ? 'List in Tocsin' : 'Open in Tocsin', url: tocsinUrl }]),
    ...(adminUrl === null ? [] : [{ label: 'Admin page', url: adminUrl }]),
  ];
};

const shortId = ({ alertId }: Pick<MessageItem, 'alertId'>): string =>
  alertId.replace(/[^0-9a-zA-Z-]/g, '').slice(0, alertIdCharacters);

// One command takes several alerts, as long as a thumb can copy it; of more it names the first.
const acknowledgeCommand = (item: MessageItem, inIncident: boolean): ItemView['acknowledge'] => {
  const ids = item.alertIds ?? [];
  const all = item.alerts > 1 && ids.length === item.alerts && ids.length <= idsInCommandMax;
  // One of thousands is not worth a line.
  if (inIncident && item.alerts > 1 && !all) return null;
  const named = all ? ids.map((alertId) => shortId({ alertId })) : [shortId(item)];
  const many = formatCount(item.alerts);
  return {
    label: item.alerts === 1 ? 'Acknowledge' : all ? `Acknowledge all ${many}` : `Acknowledge the first of ${many}`,
    command: `npx tocsin alerts ack ${named.join(' ')}`,
  };
};
