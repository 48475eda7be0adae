import { FINGERPRINT_PLACEHOLDERS, placeholdersOf } from './channel-rules.ts';
import { type LooseEntry, listEntries, mappingAt, namesOf, textAt } from './loose-file.ts';

/** What is allowed but probably not meant about times, silences, ports and fingerprints, one sentence each. */
export function settingWarnings(data: unknown, now: Date): readonly string[] {
  const file = mappingAt({ data }, 'data');
  return [
    ...listEntries(file['routes']).flatMap(zoneWarnings),
    ...listEntries(file['silences']).flatMap((silence) => silenceWarnings(silence, now)),
    ...portWarnings(mappingAt(file, 'workers')),
    ...fingerprintWarnings(file),
  ];
}

/** Hours that someone wrote by the clock on the wall, and that are in UTC. */
function zoneWarnings({ index, value }: LooseEntry): readonly string[] {
  const quiet = value['quiet_hours'];
  const places: readonly { readonly place: string; readonly windows: unknown }[] = [
    { place: 'match.during', windows: mappingAt(value, 'match')['during'] },
    Array.isArray(quiet)
      ? { place: 'quiet_hours', windows: quiet }
      : { place: 'quiet_hours.windows', windows: mappingAt(value, 'quiet_hours')['windows'] },
  ];
  return places.flatMap(({ place, windows }) =>
    listEntries(windows)
      .filter((window) => window.value['timezone'] === undefined)
      .slice(0, 1)
      .map(
        (window) =>
          `routes[${index}].${place}[${window.index}] names no timezone, so its hours are in UTC; write timezone: UTC if that is meant.`,
      ),
  );
}

function silenceWarnings({ index, value }: LooseEntry, now: Date): readonly string[] {
  const path = `silences[${index}]`;
  const until = textAt(value, 'until') ?? '';
  // What is no time is told as a problem.
  if (Date.parse(until) <= now.getTime()) return [`${path} was over at ${until}; it silences nothing, take it out.`];
  return typeof value['match'] === 'object' && namesOf(value['match']).length === 0
    ? [`${path} matches everything, so nobody is told of any failure until ${until}.`]
    : [];
}

/** On different machines both may have the same port, so that is no problem. */
function portWarnings(workers: Readonly<Record<string, unknown>>): readonly string[] {
  const port = workers['detector_port'];
  return typeof port === 'number' && port !== 0 && port === workers['notifier_port']
    ? [`workers.detector_port and workers.notifier_port are both ${port}; on one machine only one of them can listen.`]
    : [];
}

/** Names in fingerprints that nothing here fills in: then everything the rule is for would be one issue. */
function fingerprintWarnings(file: Readonly<Record<string, unknown>>): readonly string[] {
  const details = listEntries(file['jobs']).flatMap(({ value }) => namesOf(value['details']));
  const known: ReadonlySet<string> = new Set([...FINGERPRINT_PLACEHOLDERS, ...details]);
  return namesOf(file['channels']).flatMap((channel) =>
    listEntries(mappingAt(mappingAt(file, 'channels'), channel)['fingerprints']).flatMap(({ index, value }) => {
      const parts = Array.isArray(value['fingerprint']) ? value['fingerprint'] : [];
      const names = parts.filter((part) => typeof part === 'string').flatMap(placeholdersOf);
      return [...new Set(names)]
        .filter((name) => !known.has(name))
        .map(
          (name) =>
            `channels.${channel}.fingerprints[${index}] refers to {${name}}, which no jobs[].details names; where nothing fills it in, different jobs are one issue.`,
        );
    }),
  );
}
