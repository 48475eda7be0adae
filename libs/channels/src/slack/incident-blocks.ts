import type { DigestView } from '@tocsin/email-templates';
import { words } from './slack-blocks.ts';
import type { RichElement, RichPart, SlackBlock } from './slack-blocks.ts';

/** The sum of many alerts told as one: from when to when, how many of which job type, where the list is. */
export const incidentBlocks = (incident: DigestView['incident']): readonly SlackBlock[] => {
  if (incident === null) return [];
  const { times, jobTypes, moreJobTypes, list } = incident;
  const rows = [
    ...jobTypes.map(({ name, count }) => section([...words(`${count} `), ...words(name, 'bold')])),
    ...(moreJobTypes === null ? [] : [section(words(moreJobTypes))]),
  ];
  return [
    {
      type: 'rich_text',
      elements: [
        section(words(times)),
        ...(rows.length === 0 ? [] : [{ type: 'rich_text_list' as const, style: 'bullet' as const, elements: rows }]),
        section([
          ...words('List them all with: '),
          ...words(list.command, 'code'),
          ...(list.url === null
            ? []
            : [...words(' · '), { type: 'link' as const, url: list.url, text: 'List in Tocsin' }]),
        ]),
      ] satisfies readonly RichPart[],
    },
  ];
};

const section = (
  elements: readonly RichElement[],
): { readonly type: 'rich_text_section'; readonly elements: readonly RichElement[] } => ({
  type: 'rich_text_section',
  elements,
});
