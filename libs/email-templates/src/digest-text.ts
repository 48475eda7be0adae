import type { CauseView } from './cause-view.ts';
import { linesHint } from './digest-view.ts';
import type { DigestView } from './digest-view.ts';
import type { IncidentView } from './incident-view.ts';
import type { ItemView } from './item-view.ts';
import { wrapText } from './wrap-text.ts';

const columnsMax = 78;
const rule = '-'.repeat(columnsMax);
const heavyRule = '='.repeat(columnsMax);

/**
 * The plain text part, laid out by hand: many phones and every watch, lock screen and terminal show this one. Lines
 * keep to 78 columns (RFC 5322, section 2.1.1), except links, which must stay in one piece.
 */
export const digestText = (view: DigestView): string =>
  [
    ...wrapText(view.headline, { columns: columnsMax }),
    '',
    ...wrapText([view.totals, view.composedAt].filter((part) => part !== '').join(' · '), { columns: columnsMax }),
    ...view.notices.flatMap((notice) => ['', ...wrapText(notice, { columns: columnsMax, first: '! ', indent: '  ' })]),
    ...incidentText(view.incident),
    ...view.sections.flatMap((section) => [
      '',
      '',
      ...wrapText(`${section.heading.toUpperCase()} (${section.items.length})`, { columns: columnsMax }),
      heavyRule,
      ...section.items
        .filter((item) => item.detail !== 'line')
        .flatMap((item, index) => (index === 0 ? itemText(item) : [rule, ...itemText(item)])),
      ...lineTexts(section.items.filter((item) => item.detail === 'line')),
    ]),
    ...(view.omitted === null ? [''] : ['', ...wrapText(view.omitted, { columns: columnsMax }), '']),
    '-- ',
    ...wrapText(view.footer, { columns: columnsMax }),
    '',
  ].join('\n');

const incidentText = (incident: IncidentView | null): readonly string[] => {
  if (incident === null) return [];
  const { times, jobTypes, moreJobTypes, list } = incident;
  const width = jobTypes.reduce((most, { count }) => Math.max(most, count.length), 0);
  const indent = ' '.repeat(width + 4);
  return [
    '',
    ...wrapText(times, { columns: columnsMax }),
    ...jobTypes.flatMap(({ name, count }) =>
      wrapText(name, { columns: columnsMax, first: `  ${count.padStart(width)}  `, indent }),
    ),
    ...(moreJobTypes === null ? [] : [`${indent}${moreJobTypes}`]),
    ...(list.url === null ? [] : wrapText(list.url, { columns: columnsMax, first: 'All of them: ' })),
    ...wrapText(list.command, { columns: columnsMax, first: list.url === null ? 'All of them: ' : '         or: ' }),
  ];
};

const itemText = (item: ItemView): readonly string[] => [
  ...wrapText(`[${item.label.toUpperCase()}] ${item.title}`, { columns: columnsMax, first: '', indent: '  ' }),
  ...(item.job === null ? [] : wrapText(item.job, { columns: columnsMax, first: '  ', indent: '    ' })),
  ...item.story.flatMap((line) => wrapText(line, { columns: columnsMax, first: '  ', indent: '  ' })),
  ...item.causes.flatMap(causeText),
  ...(item.moreCauses === null ? [] : ['', `  ${item.moreCauses}`]),
  '',
  ...factLines(item),
  '',
];

const lineTexts = (items: readonly ItemView[]): readonly string[] =>
  items.length === 0
    ? []
    : [
        linesHint,
        ...items.flatMap((item) =>
          wrapText(`[${item.label.toUpperCase()}] ${item.line}`, { columns: columnsMax, first: '- ', indent: '  ' }),
        ),
        '',
      ];

const factLines = (item: ItemView): readonly string[] => {
  const rows = [
    ...item.facts.map(
      ({ label, value }) =>
        [label, /since$/i.test(label) && item.span !== '' ? `${value}, ${item.span}` : value] as const,
    ),
    ...item.links.map(({ label, url }) => [label, url] as const),
    ...(item.acknowledge === null ? [] : [[item.acknowledge.label, item.acknowledge.command] as const]),
  ];
  const width = rows.reduce((most, [label]) => Math.max(most, label.length), 0) + 2;
  return rows.flatMap(([label, value]) =>
    wrapText(value, { columns: columnsMax, first: `  ${`${label}:`.padEnd(width)}`, indent: ' '.repeat(width + 2) }),
  );
};

// Every line of foreign text is indented, so that none can pass for a heading or a separator of ours.
const causeText = (cause: CauseView): readonly string[] => {
  const lines = [
    ...(cause.count === null ? [] : [`  ${cause.count}:`]),
    ...errorLines(cause).flatMap((line) =>
      wrapText(line, { columns: columnsMax, first: '    ', indent: '    ', breakWords: true }),
    ),
    ...cause.jobs.flatMap((job) => [
      ...wrapText(job.facts === '' ? job.name : `${job.name} (${job.facts})`, {
        columns: columnsMax,
        first: '  - ',
        indent: '    ',
      }),
      ...(job.url === null ? [] : [`    ${job.url}`]),
    ]),
    ...(cause.more === null ? [] : [`  - ${cause.more.text}${cause.more.url === null ? '' : `: ${cause.more.url}`}`]),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
};

const errorLines = ({ error, isSentence }: CauseView): readonly string[] => {
  if (error !== null) return error.split('\n');
  return isSentence ? [] : ['(no error text in the row)'];
};
