/** What Slack checks of a message before it posts it, as far as its documentation and its answers show. */

type Fields = Readonly<Record<string, unknown>>;

/** Why Slack would not take a message: its error word, and what it says of the blocks. */
export interface SlackComplaint {
  readonly error: string;
  readonly messages: readonly string[];
}

const textCharactersMax = 40_000;
const blocksMax = 50;
/** Not documented: the sum of all text at which Slack answers `msg_blocks_too_long`. */
const blocksCharactersMax = 13_200;
const metadataBytesMax = 8_000;

const fieldsOf = {
  'chat.postMessage': [
    'channel',
    'text',
    'blocks',
    'attachments',
    'thread_ts',
    'reply_broadcast',
    'mrkdwn',
    'parse',
    'link_names',
    'unfurl_links',
    'unfurl_media',
    'metadata',
    'username',
    'icon_emoji',
    'icon_url',
  ],
  'chat.update': [
    'channel',
    'ts',
    'text',
    'blocks',
    'attachments',
    'parse',
    'link_names',
    'metadata',
    'reply_broadcast',
  ],
  webhook: [
    'text',
    'blocks',
    'attachments',
    'thread_ts',
    'mrkdwn',
    'unfurl_links',
    'unfurl_media',
    'response_type',
    'replace_original',
    'delete_original',
  ],
} as const;

/** Checks fields, text, blocks and metadata of a message; null when Slack would take it. */
export const checkSlackMessage = (how: keyof typeof fieldsOf, body: Fields): SlackComplaint | null => {
  const unknown = Object.keys(body).filter((field) => !(fieldsOf[how] as readonly string[]).includes(field));
  if (unknown.length > 0) return { error: 'invalid_arguments', messages: unknown.map((field) => `unknown: ${field}`) };
  for (const field of ['mrkdwn', 'link_names', 'unfurl_links', 'unfurl_media', 'reply_broadcast'])
    if (field in body && typeof body[field] !== 'boolean')
      return { error: 'invalid_arguments', messages: [`not a boolean: ${field}`] };
  const { text, blocks, metadata } = body;
  if (text !== undefined && typeof text !== 'string') return { error: 'invalid_arguments', messages: ['text'] };
  if ((text ?? '') === '' && (!Array.isArray(blocks) || blocks.length === 0)) return { error: 'no_text', messages: [] };
  if (typeof text === 'string' && text.length > textCharactersMax) return { error: 'msg_too_long', messages: [] };
  if (blocks !== undefined) {
    const errors = checkBlocks(blocks);
    if (errors.length > 0) return { error: 'invalid_blocks', messages: errors };
    if (charactersOf(blocks) > blocksCharactersMax) return { error: 'msg_blocks_too_long', messages: [] };
  }
  if (metadata !== undefined && !isMetadata(metadata)) return { error: 'invalid_metadata_format', messages: [] };
  if (metadata !== undefined && JSON.stringify(metadata).length > metadataBytesMax)
    return { error: 'metadata_too_large', messages: [] };
  return null;
};

/**
 * Texts of a message in which Slack reads markup, the only places where job text could mention somebody: `mrkdwn` text
 * objects and the fallback text.
 */
export const markedUpTexts = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  const { type, text } = value as Fields;
  const own = (type === 'mrkdwn' || type === undefined) && typeof text === 'string' ? [text] : [];
  return [...own, ...Object.values(value).flatMap(markedUpTexts)];
};

const isMetadata = (value: unknown): boolean => {
  const metadata = fieldsOrNull(value);
  return (
    metadata !== null &&
    typeof metadata['event_type'] === 'string' &&
    /^[a-z0-9._-]{1,255}$/i.test(metadata['event_type']) &&
    fieldsOrNull(metadata['event_payload']) !== null &&
    Object.keys(metadata).length === 2
  );
};

const checkBlocks = (blocks: unknown): readonly string[] => {
  if (!Array.isArray(blocks)) return [problem('must be an array', '/blocks')];
  if (blocks.length > blocksMax) return [problem(`no more than ${blocksMax} items allowed`, '/blocks')];
  const ids = blocks.map((block) => fieldsOrNull(block)?.['block_id']).filter((id) => id !== undefined);
  return [
    ...(new Set(ids).size === ids.length ? [] : [problem('block_id already exists', '/blocks')]),
    ...blocks.flatMap((block, index) => checkBlock(block, `/blocks/${index}`)),
  ];
};

const checkBlock = (value: unknown, at: string): readonly string[] => {
  const block = fieldsOrNull(value);
  if (block === null) return [problem('must be an object', at)];
  const common = [
    ...('block_id' in block ? textErrors(block['block_id'], 255, `${at}/block_id`) : []),
    ...unknownFields(block, blockFields[String(block['type'])] ?? [], at),
  ];
  switch (block['type']) {
    case 'header':
      return [...common, ...textObjectErrors(block['text'], ['plain_text'], 150, `${at}/text`)];
    case 'section':
      return [
        ...common,
        ...('text' in block ? textObjectErrors(block['text'], ['plain_text', 'mrkdwn'], 3_000, `${at}/text`) : []),
        ...('fields' in block
          ? listErrors(block['fields'], 1, 10, `${at}/fields`, (each, place) =>
              textObjectErrors(each, ['plain_text', 'mrkdwn'], 2_000, place),
            )
          : []),
        ...('text' in block || 'fields' in block ? [] : [problem('missing required field: text', at)]),
      ];
    case 'context':
      return [
        ...common,
        ...listErrors(block['elements'], 1, 10, `${at}/elements`, (each, place) =>
          textObjectErrors(each, ['plain_text', 'mrkdwn'], 3_000, place),
        ),
      ];
    case 'divider':
      return common;
    case 'actions':
      return [...common, ...listErrors(block['elements'], 1, 25, `${at}/elements`, buttonErrors)];
    case 'rich_text':
      return [...common, ...listErrors(block['elements'], 1, Infinity, `${at}/elements`, richPartErrors)];
    default:
      return [problem(`unsupported type: ${String(block['type'])}`, at)];
  }
};

const blockFields: Readonly<Record<string, readonly string[]>> = {
  header: ['type', 'block_id', 'text'],
  section: ['type', 'block_id', 'text', 'fields', 'accessory', 'expand'],
  context: ['type', 'block_id', 'elements'],
  divider: ['type', 'block_id'],
  actions: ['type', 'block_id', 'elements'],
  rich_text: ['type', 'block_id', 'elements'],
};

const textObjectErrors = (
  value: unknown,
  types: readonly string[],
  charactersMax: number,
  at: string,
): readonly string[] => {
  const text = fieldsOrNull(value);
  if (text === null) return [problem('missing text object', at)];
  const type = String(text['type']);
  if (!types.includes(type)) return [problem(`must be one of ${types.join(', ')}`, `${at}/type`)];
  return [
    ...textErrors(text['text'], charactersMax, `${at}/text`),
    ...unknownFields(text, type === 'plain_text' ? ['type', 'text', 'emoji'] : ['type', 'text', 'verbatim'], at),
  ];
};

const buttonErrors = (value: unknown, at: string): readonly string[] => {
  const button = fieldsOrNull(value);
  if (button?.['type'] !== 'button') return [problem('unsupported type', at)];
  return [
    ...textObjectErrors(button['text'], ['plain_text'], 75, `${at}/text`),
    ...textErrors(button['action_id'], 255, `${at}/action_id`),
    ...('value' in button ? textErrors(button['value'], 2_000, `${at}/value`) : []),
    ...('url' in button ? urlErrors(button['url'], `${at}/url`) : []),
    ...('style' in button && button['style'] !== 'primary' && button['style'] !== 'danger'
      ? [problem('must be primary or danger', `${at}/style`)]
      : []),
    ...unknownFields(button, ['type', 'text', 'action_id', 'value', 'url', 'style', 'confirm'], at),
  ];
};

const richPartErrors = (value: unknown, at: string): readonly string[] => {
  const part = fieldsOrNull(value);
  switch (part?.['type']) {
    case 'rich_text_section':
    case 'rich_text_quote':
      return [
        ...listErrors(part['elements'], 1, Infinity, `${at}/elements`, richElementErrors),
        ...unknownFields(part, ['type', 'elements', 'border'], at),
      ];
    case 'rich_text_preformatted':
      return [
        ...listErrors(part['elements'], 1, Infinity, `${at}/elements`, richElementErrors),
        ...unknownFields(part, ['type', 'elements', 'border', 'language'], at),
      ];
    case 'rich_text_list':
      return [
        ...(part['style'] === 'bullet' || part['style'] === 'ordered' ? [] : [problem('wrong style', at)]),
        ...listErrors(part['elements'], 1, Infinity, `${at}/elements`, (each, place) =>
          fieldsOrNull(each)?.['type'] === 'rich_text_section'
            ? richPartErrors(each, place)
            : [problem('must be a rich_text_section', place)],
        ),
        ...unknownFields(part, ['type', 'style', 'elements', 'indent', 'offset', 'border'], at),
      ];
    default:
      return [problem('unsupported type', at)];
  }
};

const richElementErrors = (value: unknown, at: string): readonly string[] => {
  const element = fieldsOrNull(value);
  switch (element?.['type']) {
    case 'text':
      return [
        ...textErrors(element['text'], Infinity, `${at}/text`),
        ...styleErrors(element['style'], at),
        ...unknownFields(element, ['type', 'text', 'style'], at),
      ];
    case 'link':
      return [
        ...urlErrors(element['url'], `${at}/url`),
        ...('text' in element ? textErrors(element['text'], Infinity, `${at}/text`) : []),
        ...styleErrors(element['style'], at),
        ...unknownFields(element, ['type', 'url', 'text', 'unsafe', 'style'], at),
      ];
    case 'emoji':
      return [
        ...(/^[a-z0-9_+-]+$/.test(String(element['name'])) ? [] : [problem('no such emoji', at)]),
        ...unknownFields(element, ['type', 'name', 'unicode'], at),
      ];
    // `broadcast`, `user`, `usergroup`: Slack knows them, and nothing that tells of a job may hold them.
    default:
      return [problem('unsupported type', at)];
  }
};

const styleErrors = (style: unknown, at: string): readonly string[] =>
  style === undefined
    ? []
    : unknownFields(fieldsOrNull(style) ?? {}, ['bold', 'italic', 'strike', 'code'], `${at}/style`);

const textErrors = (value: unknown, charactersMax: number, at: string): readonly string[] => {
  if (typeof value !== 'string') return [problem('must be a string', at)];
  if (value === '') return [problem('must be more than 0 characters', at)];
  return value.length > charactersMax ? [problem(`must be less than ${charactersMax + 1} characters`, at)] : [];
};

const urlErrors = (value: unknown, at: string): readonly string[] =>
  typeof value === 'string' && value.length <= 3_000 && /^https?:\/\/[^\s<>|]+$/.test(value)
    ? []
    : [problem('invalid url', at)];

const listErrors = (
  value: unknown,
  least: number,
  most: number,
  at: string,
  check: (each: unknown, at: string) => readonly string[],
): readonly string[] => {
  if (!Array.isArray(value)) return [problem('must be an array', at)];
  if (value.length < least || value.length > most) return [problem(`${value.length} items are not allowed`, at)];
  return value.flatMap((each, index) => check(each, `${at}/${index}`));
};

const unknownFields = (value: Fields, known: readonly string[], at: string): readonly string[] =>
  Object.keys(value)
    .filter((field) => !known.includes(field))
    .map((field) => problem('additional property', `${at}/${field}`));

const charactersOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).reduce(
        (sum, [key, each]) => sum + (key === 'text' && typeof each === 'string' ? each.length : charactersOf(each)),
        0,
      )
    : 0;

const problem = (what: string, at: string): string => `[ERROR] ${what} [json-pointer:${at}]`;

const fieldsOrNull = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
