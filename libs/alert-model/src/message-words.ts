import type { MessageItem, MessageJob } from './digest-message.ts';
import { forHumans } from './for-humans.ts';
import { incidentHeadline, incidentSubject } from './incident-words.ts';
import type { WholeMessage } from './incident-words.ts';
import {
  beforeFirstFailure,
  developmentWords,
  isAboutRun,
  isConditionWord,
  isNoRow,
  isSuspected,
  jobOfDevelopment,
  jobsByKind,
  missingSteps,
  newsNoun,
  occurrenceNoun,
  overWords,
  verbOf,
  wasWhat,
} from './kind-words.ts';
import { clock, countOf, day, firstLine, listOf, oneLine, when } from './phrases.ts';
import { stepName } from './signal.ts';

/** Longest subject, in characters; phones show about forty. */
export const subjectCharsMax = 150;
/** Longest headline, in characters: what a lock screen shows under the subject. */
export const headlineCharsMax = 240;

/**
 * The subject: what failed, most urgent first. It stays the same for the whole conversation, so what follows later
 * ("works again") is said by the headline.
 */
export const subjectOf = (
  items: readonly MessageItem[],
  failures: number,
  whole: WholeMessage = { ...alone, failures },
): string => {
  const wrong = items.filter(isWrong);
  const open = items.filter((item) => !isFine(item));
  const told = wrong.length > 0 ? wrong : open.length > 0 ? open : items;
  const first = told[0];
  if (first === undefined) return 'Tocsin';
  const mark = first.severity === 'error' || !isWrong(first) ? '' : `[${first.severity}] `;
  const incident = toldAsIncident(items, whole);
  if (incident !== null) return oneLine(mark + incidentSubject(items, whole, incident), subjectCharsMax);
  return oneLine(mark + (told.length === 1 ? subjectPart(first) : subjectList(told, failures)), subjectCharsMax);
};

/** The story in one line: what became of the work, why, and what did not run because of it. */
export const headlineOf = (items: readonly MessageItem[], whole: WholeMessage = alone): string => {
  const [first, ...others] = items;
  if (first === undefined) return '';
  const incident = toldAsIncident(items, whole);
  if (incident !== null) {
    const recovered = incident.keys === 0 ? 0 : whole.resolved;
    const also = recovered === 0 ? '' : ` Also in this message: ${recovered.toLocaleString('en-GB')} recovered.`;
    return oneLine(incidentHeadline(items, whole, incident), headlineCharsMax - also.length) + also;
  }
  const wrong = others.filter(isWrong).length;
  const updates = others.filter(({ kind }) => kind === 'update').length;
  const fine = others.filter(isFine);
  const alerts = fine.reduce((sum, item) => sum + item.alerts, 0);
  const also = [
    ...(wrong > 0 ? [countOf(wrong, 'more problem')] : []),
    ...(updates > 0 ? [countOf(updates, updates === others.length ? 'more update' : 'update')] : []),
    ...(alerts > 0
      ? [
          `${alerts.toLocaleString('en-GB')} ${fine.some((item) => retractedFrom(item) !== null) ? 'over' : 'recovered'}`,
        ]
      : []),
  ];
  const tail = also.length === 0 ? '' : ` Also in this message: ${also.join(', ')}.`;
  return oneLine(tell(first), headlineCharsMax - tail.length) + tail;
};

const alone: WholeMessage = { failures: 0, incident: null, followUp: false, threadOpen: 0, resolved: 0 };

/** One alert of a storm is told like any other; so is what is neither new nor over. */
const toldAsIncident = (
  items: readonly MessageItem[],
  { incident, resolved }: WholeMessage,
): WholeMessage['incident'] =>
  incident !== null && (incident.keys > 1 || (resolved > 1 && items.every(isFine))) ? incident : null;

const isFine = (item: MessageItem): boolean => item.kind === 'resolved' || item.kind === 'recovered';
/** Neither over nor a mere change for the better or by the janitor. */
const isWrong = (item: MessageItem): boolean => !isFine(item) && item.kind !== 'update' && item.kind !== 'open';

const subjectPart = (item: MessageItem): string => {
  if (item.kind === 'recovered') {
    const state = suspectedOf(item);
    return state === null
      ? `${nameOf(item)} failed and recovered`
      : `${nameOf(item)} ${were(item)} ${state} for a while`;
  }
  if (item.kind === 'resolved') {
    const was = retractedFrom(item);
    if (was !== null) return `${nameOf(item)} ${overWords(item)}`;
    return `${nameOf(item)} ${item.resolution?.reason === 'operator' ? 'was closed' : 'works again'}`;
  }
  if (item.kind === 'update') return updated(item);
  if (item.kind === 'flapping') return flaps(item);
  if (item.kind === 'settled' && !isSuspected(item)) return `${nameOf(item)} keeps failing`;
  const namesChain = item.chain === null || [...jobsByKind(item).keys()].every(isAboutRun);
  const what = namesChain ? failed(item) : `${item.title}: ${failed(item, undefined, 'the run')}`;
  const missing = missingOf(item);
  return (
    what +
    (missing === '' ? '' : `, ${missing} did not run`) +
    (item.kind === 'escalated' ? ', nobody has acknowledged it' : '')
  );
};

const titlesListedMax = 3;
/** "40 failures: apple/refresh_catalog (20), apple/rebuild_index (15) and google/import (5)" */
const subjectList = (items: readonly MessageItem[], failures: number): string => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item.title, (counts.get(item.title) ?? 0) + item.failures);
  const fine = items.every(isFine);
  const noun = items.some(isWrong) || fine ? 'problem' : 'update';
  const lead = failures > 0 && !fine ? countOf(failures, newsNoun(items)) : countOf(items.length, noun);
  const [[title] = ['']] = counts;
  if (counts.size === 1 && items.some(isWrong)) return `${lead} of ${title}, ${items.length} causes`;
  const names = [...counts].map(([name, count]) => (count > 1 ? `${name} (${count.toLocaleString('en-GB')})` : name));
  return `${lead}${fine ? ' over' : ''}: ${listOf(names, titlesListedMax)}`;
};

const tell = (item: MessageItem): string => {
  switch (item.kind) {
    case 'resolved':
      return resolved(item);
    case 'recovered':
      return recovered(item);
    case 'escalated': {
      const waited = forHumans(item.escalation?.afterMs ?? 0);
      const isRepeat = (item.escalation?.repeat ?? 0) > 0;
      return `${isRepeat ? `Still not acknowledged after ${waited}` : `Not acknowledged for ${waited}`}: ${failing(item)}`;
    }
    case 'lapsed':
      return `${lapsed(item)}, ${item.lapse?.reason === 'time' ? 'and' : 'so'} the acknowledgement by ${item.lapse?.by ?? 'somebody'} has ended. ${failing(item)}`;
    case 'settled':
      return isSuspected(item)
        ? `No longer comes and goes: ${failing(item)}`
        : `${nameOf(item)} has been failing${item.flapping == null ? '' : ` for ${forHumans(item.flapping.holdMs)}`} without a break${why(item)} It no longer comes and goes.`;
    case 'flapping':
      return `${flaps(item)}${item.flapping == null ? '' : `, ${item.flapping.count.toLocaleString('en-GB')} times in ${forHumans(item.flapping.withinMs)}`}${why(item)} The next message comes when it has settled.`;
    case 'worse':
      return `Now ${item.severity}${item.severityBefore == null ? '' : `, was ${item.severityBefore}`}: ${goesOn(item)}`;
    case 'unsilenced':
      return unsilenced(item);
    case 'open':
      return `Still open: ${failing(item)}`;
    case 'again':
      return goesOn(item);
    case 'update':
      return `${updated(item)}. The alert stays open.`;
    case 'new':
    case 'regressed':
      return failing(item, item.predecessor === null ? undefined : againAfter(item.predecessor.recentCount));
    default:
      return item.kind satisfies never;
  }
};

/** Told before, and it has failed since. */
const goesOn = (item: MessageItem): string => {
  if (beforeFirstFailure(item) !== null) return failing(item);
  if (item.chain !== null) return inFirstRun(item) ? failing(item, 'also') : `${still(item)}: ${failing(item)}`;
  return `${failing(item, 'again')} ${countOf(item.occurrences, occurrenceNoun(item))} since ${when(item.since)}.`;
};

/** Why an acknowledgement has ended: "Still failing", "Failed 5 more times", "Fails for a new reason" */
const lapsed = (item: MessageItem): string => {
  const suspected = isSuspected(item);
  const reason = item.lapse?.reason ?? 'time';
  switch (reason) {
    case 'signature-change':
      return suspected ? 'Something else is wrong' : 'Fails for a new reason';
    case 'failures':
      if (item.alerts > 1 || item.failures === 0) return 'It kept failing';
      return suspected
        ? `It happened ${timesOf(item.failures)} more`
        : `Failed ${item.failures === 1 ? 'once more' : `${item.failures.toLocaleString('en-GB')} more times`}`;
    case 'time':
      return still(item);
    default:
      return reason satisfies never;
  }
};

/** "apple/import keeps failing and recovering", "apple/import is stuck again and again" */
const flaps = (item: MessageItem): string =>
  isSuspected(item) ? `${failed(item)} again and again` : `${nameOf(item)} keeps failing and recovering`;

/** "songs failed on Mon 2 Mar 03:02 UTC while silenced by ann (deploy): HTTP 503. The silence is over." */
const unsilenced = (item: MessageItem): string => {
  const { silence } = item;
  const times = item.failures > 1 && item.alerts === 1 ? ` ${timesOf(item.failures)}, the last time` : '';
  const under =
    silence == null
      ? 'under a silence'
      : `while silenced by ${silence.by}${silence.reason === null ? '' : ` (${silence.reason})`}`;
  const end = silence?.endedBy == null ? 'The silence is over.' : `${silence.endedBy} ended the silence.`;
  return `${failed(item)}${times} on ${when(item.lastFailedAt)} ${under}${why(item)} ${end}`;
};

/** "once", "5 times" */
const timesOf = (count: number): string => (count === 1 ? 'once' : `${count.toLocaleString('en-GB')} times`);

/** "Resolved: apple/catalog works again after 14 days. 3 failures. Acknowledged by ann." */
const resolved = (item: MessageItem): string => {
  const lasted = forHumans(item.resolution?.downtimeMs ?? 0);
  const closed = item.resolution?.reason === 'operator';
  const was = retractedFrom(item);
  const what = closed
    ? `Closed by ${item.resolution?.by ?? 'an operator'}: ${nameOf(item)}, open for ${lasted}.`
    : was !== null
      ? over(item, lasted)
      : item.flapping != null
        ? `Settled: ${nameOf(item)} has been fine since ${when(item.resolution?.resolvedAt ?? item.lastFailedAt)}.`
        : `Resolved: ${nameOf(item)} ${item.alerts > 1 ? 'work' : 'works'} again after ${lasted}.`;
  const acknowledged = item.acknowledgedBy === null ? '' : ` Acknowledged by ${item.acknowledgedBy}.`;
  const count =
    isSuspected(item) && item.occurrences === 1 ? '' : ` ${countOf(item.occurrences, occurrenceNoun(item))}.`;
  return `${what}${count}${acknowledged}`;
};

/** "songs is no longer stuck, after 18 min: a sign of life at 03:20." A table that can be read again says it by that. */
const over = (item: MessageItem, lasted: string): string =>
  jobsByKind(item).has('unreadable')
    ? `${nameOf(item)} ${overWords(item)}, after ${lasted}.`
    : `${nameOf(item)} ${overWords(item)}, after ${lasted}${because(item.resolution?.note ?? null)}`;

/** "apple/refresh_catalog/songs failed at 03:02 and recovered at 03:07 UTC on Mon 2 Mar (5 min): HTTP 503." */
const recovered = (item: MessageItem): string => {
  const { resolution } = item;
  const state = suspectedOf(item);
  const note = because(resolution?.note ?? null);
  if (resolution === null || item.alerts > 1)
    return state === null
      ? `${failed(item)} and recovered${why(item)}`
      : `${nameOf(item)} ${were(item)} ${state} for a while${note}`;
  if (resolution.reason === 'operator')
    return `${failed(item)}${why(item)} Closed by ${resolution.by ?? 'an operator'}.`;
  const sameDay = item.since.slice(0, 10) === resolution.resolvedAt.slice(0, 10);
  const lasted = forHumans(resolution.downtimeMs);
  if (state !== null) {
    const span = sameDay
      ? `from ${clock(item.since)} to ${clock(resolution.resolvedAt)} UTC on ${day(item.since)}`
      : `from ${when(item.since)} to ${when(resolution.resolvedAt)}`;
    return `${nameOf(item)} was ${state} ${span} (${lasted})${note}`;
  }
  const times = sameDay
    ? `at ${clock(item.since)} and recovered at ${clock(resolution.resolvedAt)} UTC on ${day(item.since)}`
    : `on ${day(item.since)} at ${clock(item.since)} and recovered on ${when(resolution.resolvedAt)}`;
  return `${failed(item)} ${times} (${lasted})${why(item)}`;
};

/** "songs failed: HTTP 503 from the source. rebuild_index did not run; last good run Mon 23 Feb 03:40 UTC." */
const failing = (item: MessageItem, adverb?: string): string => {
  const missing = missingOf(item);
  const green = item.chain?.lastGreenAt == null ? '' : `last good run ${when(item.chain.lastGreenAt)}`;
  const consequence = [missing === '' ? '' : `${missing} did not run`, green].filter((part) => part !== '').join('; ');
  const sentence =
    consequence === '' ? '' : ` ${consequence.startsWith('last') ? `L${consequence.slice(1)}` : consequence}.`;
  return `${failed(item, adverb)}${why(item)}${sentence}`;
};

/** ": HTTP 503 from the source." or "." Of several causes, that of the jobs that decide how the item is told. */
const why = (item: MessageItem): string => {
  const [kind] = jobsByKind(item).keys();
  const cause = item.causes.find(({ jobs }) => jobs.some((job) => job.kind === kind)) ?? item.causes[0];
  const error = cause?.error;
  if (error == null) return '.';
  // Why a table cannot be read is all there is to say: it gets all the room there is.
  if (kind === 'unreadable') return because(firstLine(error, headlineCharsMax));
  if (kind === 'backlog') return `;${firstLine(error, sentencesCharsMax).split(';')[1] ?? ''}`.replace(/^;$/, '.');
  if (kind === 'partial' || !isConditionWord(kind ?? '')) return because(firstLine(error, errorCharsMax));
  return because(
    wholeSentences(firstLine(error, sentencesCharsMax)).replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase()),
  );
};
const errorCharsMax = 110;
/** What a condition says of itself are sentences of ours: they may be longer, and are cut between two of them. */
const sentencesCharsMax = 170;
const wholeSentences = (text: string): string =>
  text.endsWith('…') && text.includes('. ') ? text.slice(0, text.lastIndexOf('. ') + 1) : text;

/** ": it succeeded." or "." */
const because = (text: string | null): string => {
  if (text === null || text === '') return '.';
  return `: ${text}${/[.!?…]$/.test(text) ? '' : '.'}`;
};

/** "songs failed", "albums and songs failed again", "songs failed and albums is stuck", "apple/x failed for 20 targets" */
const failed = (item: MessageItem, adverb?: string, run: string = item.title): string => {
  const groups = [...jobsByKind(item)].slice(0, groupsToldMax);
  const targets = item.alerts > 1 ? ` for ${item.alerts.toLocaleString('en-GB')} targets` : '';
  if (item.chain === null || groups.length === 0) {
    const kinds = groups.map(([kind]) => kind);
    const verb = (kinds.length === 0 ? ['failed'] : kinds).map((kind) => verbOf(kind, false)).join(' and ');
    const before = beforeFirstFailure(item);
    const phrase =
      before === null
        ? withAdverb(verb, adverb)
        : `was ${before} and ${verb.replace(/^is /, 'is now ').replace(/^failed/, 'has now failed')}`;
    return `${kinds[0] === 'backlog' ? jobCountOf(item) : ''}${item.title} ${phrase}${targets}`;
  }
  const types = typesWithTargets(item);
  const told = groups.map(([kind, jobs]) => {
    const names = isAboutRun(kind) ? [run] : stepsOf(jobs, types);
    return `${listOf(names, namesListedMax)} ${withAdverb(verbOf(kind, names.length > 1), adverb)}`;
  });
  return `${told.join(' and ')}${targets}`;
};
const groupsToldMax = 2;

/** "30 ", "More than 2000 ": how many jobs a backlog has, as its words begin. */
const jobCountOf = (item: MessageItem): string =>
  /^(?:More than )?[0-9]{1,9} /.exec(item.causes[0]?.error ?? '')?.[0] ?? '';

/** "also failed", "failed again", "waits and nobody picks it up, again" */
const withAdverb = (verb: string, adverb: string | undefined): string => {
  if (adverb === undefined) return verb;
  if (adverb === 'also') return `also ${verb}`;
  // "Cannot be read again" would say that it could be read in between.
  return verb.split(' ').length > 3 || verb.startsWith('cannot ') ? `${verb}, ${adverb}` : `${verb} ${adverb}`;
};

/** What a condition that is over without a success was, "stuck"; null when the item recovered in another way, or not. */
const retractedFrom = (item: MessageItem): string | null =>
  item.resolution?.reason === 'retracted' ? (wasWhat(item) ?? 'a problem') : null;

/** What an item that is over was, when nothing of it had failed; null otherwise. */
const suspectedOf = (item: MessageItem): string | null => (isSuspected(item) ? wasWhat(item) : retractedFrom(item));

const were = (item: MessageItem): string => (item.alerts > 1 ? 'were' : 'was');

/** "apple/catalog: songs is no longer stuck: a sign of life at 03:20, and 2 more changes": the newest one leads, the janitor's first */
const updated = (item: MessageItem): string => {
  const developments = item.developments ?? [];
  // That the janitor put a job back into the queue says more than that it is stuck no longer.
  const newest = developments.findLast(({ what }) => what !== 'retracted') ?? developments.at(-1);
  if (newest === undefined) return nameOf(item);
  const more = developments.length - 1 + (item.moreDevelopments ?? 0);
  const job = jobOfDevelopment(item, newest);
  const name = job === null ? `job ${newest.jobId}` : (stepsOf([job], typesWithTargets(item))[0] ?? '');
  const who = isNoRow(newest.jobId) || item.title.endsWith(name) ? item.title : `${item.title}: ${name}`;
  return `${developmentWords(who, newest)}${more > 0 ? `, and ${countOf(more, 'more change')}` : ''}`;
};

const still = (item: MessageItem): string => (isSuspected(item) ? 'Still so' : 'Still failing');

/** Steps of a chain by their shortest telling names: the target alone where all targets are of one type. */
const stepsOf = (jobs: readonly MessageJob[], types: ReadonlySet<string>): readonly string[] => [
  ...new Set(jobs.map((job) => (types.size === 1 && job.targetId !== null ? job.targetId : stepName(job)))),
];

const typesWithTargets = (item: MessageItem): ReadonlySet<string> =>
  new Set(
    item.causes.flatMap(({ jobs }) => jobs.filter(({ targetId }) => targetId !== null).map(({ jobType }) => jobType)),
  );

const missingOf = (item: MessageItem): string => {
  const missing = missingSteps(item);
  const types = new Set(missing.filter((name) => name.includes('/')).map((name) => name.slice(0, name.indexOf('/'))));
  return listOf(types.size === 1 ? missing.map((name) => name.slice(name.indexOf('/') + 1)) : missing, namesListedMax);
};

/** Whether the chain's first failure happened in the run of the latest one; runs are named by their start. */
const inFirstRun = (item: MessageItem): boolean => {
  const run = item.chain?.run ?? '';
  return /^\d{4}-\d\d-\d\dT/.test(run) && run <= item.since;
};

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
/** "again, third time this week" */
const againAfter = (recentCount: number): string =>
  recentCount < 1 ? 'again' : `again, ${ordinals[recentCount] ?? `${recentCount + 1}th`} time this week`;

const nameOf = (item: MessageItem): string =>
  item.alerts > 1 ? `${item.alerts.toLocaleString('en-GB')} targets of ${item.title}` : item.title;

const namesListedMax = 4;
