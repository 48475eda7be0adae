import { globMatches } from '@tocsin/alert-model';
import type { MessageItem } from '@tocsin/alert-model';
import { cleanLine } from '@tocsin/email-templates';
import type { SentryFingerprint } from '../channel.ts';
import { jobFacts } from './job-facts.ts';

const partCharactersMax = 200;
const partsMax = 10;
/** Stands where the row does not say what a template asks for, so that issues stay apart from those where it does. */
const missing = 'unknown';

/**
 * What Sentry groups an item's events by. The first template that matches is filled in: `{stage}`, `{reason}`,
 * `{source}`, `{job_type}`, `{target_id}`, `{kind}`, and fields of the job's details by their name, `{source_url}`.
 * Without one: source, job type and cause, as Tocsin itself tells causes apart.
 */
export const fingerprintOf = (item: MessageItem, templates: readonly SentryFingerprint[]): readonly string[] => {
  const facts = jobFacts(item);
  const template = templates.find(
    ({ match }) => fits(match.source, item.source) && fits(match.jobType, item.jobType) && fits(match.kind, facts.kind),
  );
  const parts =
    template === undefined
      ? ['tocsin', item.source, item.jobType, item.causes[0]?.signature ?? facts.kind]
      : template.fingerprint.slice(0, partsMax).map((part) => filled(part, item));
  return parts.map((part) => cleanLine(part, partCharactersMax) || missing);
};

const fits = (globs: readonly string[] | undefined, text: string): boolean =>
  globs === undefined || globs.some((glob) => globMatches(glob, text));

// `{{ default }}`, Sentry's own word for its usual grouping, stays as it is.
const filled = (template: string, item: MessageItem): string =>
  template.replace(/(?<!\{)\{(\w{1,100})\}(?!\})/g, (_whole, name: string) => valueOf(name, item) ?? missing);

const valueOf = (name: string, item: MessageItem): string | null => {
  const facts = jobFacts(item);
  switch (name) {
    case 'stage':
      return facts.stage;
    case 'reason':
      return facts.reason;
    case 'kind':
      return facts.kind;
    case 'source':
      return item.source;
    case 'job_type':
      return item.jobType;
    case 'target_id':
      return item.targetId;
    default:
      return facts.field(name);
  }
};
