import { checkSlackMessage } from './check-slack-message.ts';
import type { SlackComplaint } from './check-slack-message.ts';
import { createArrivals } from './arrivals.ts';
import { startHttpProviderDouble } from './http-provider-double.ts';
import type {
  HttpProviderDouble,
  HttpProviderDoubleOptions,
  ProviderAnswer,
  ProviderRequest,
} from './http-provider-double.ts';

/** A message in the double's one channel. */
export interface SlackDoubleMessage {
  readonly receivedAt: string;
  readonly via: 'webhook' | 'chat.postMessage';
  /** Of what came by the bot as well as by the webhook. */
  readonly channel: string;
  readonly ts: string;
  /** The message it answers; null for one in the channel itself. */
  readonly threadTs: string | null;
  /** A reply that is shown in the channel too. */
  readonly broadcast: boolean;
  readonly text: string;
  readonly blocks: readonly unknown[];
  readonly metadata: unknown;
  /** The whole request body, as it was posted. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** A change of a message. */
export interface SlackDoubleUpdate {
  readonly ts: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface SlackDoubleOptions extends HttpProviderDoubleOptions {
  /** Of the token. Default: those a bot needs to write and to read its channel. */
  readonly scopes?: readonly string[];
  /** Whether the bot has been invited. Default: true. */
  readonly member?: boolean;
  /** Default: false. */
  readonly archived?: boolean;
  /** Most messages posted per second; more are answered with 429. Default: no bound. */
  readonly messagesPerSecond?: number;
}

/** Slack with one workspace, one channel, one bot and one incoming webhook, on 127.0.0.1. */
export interface SlackDouble extends Pick<
  HttpProviderDouble<SlackDoubleMessage>,
  'next' | 'nextAt' | 'always' | 'requests' | 'waitForRequests' | 'stop' | 'baseUrl'
> {
  /** Where the methods are: `http://127.0.0.1:PORT/api/`. */
  readonly apiUrl: string;
  readonly token: string;
  readonly webhookUrl: string;
  /** The channel's id and its name. */
  readonly channel: string;
  readonly channelName: string;
  /** Everything posted, oldest first, as it was posted. */
  messages(): readonly SlackDoubleMessage[];
  waitForMessages(count: number, timeoutMs: number): Promise<readonly SlackDoubleMessage[]>;
  /** Every change, oldest first. */
  updates(): readonly SlackDoubleUpdate[];
  /** The messages as they are shown now, without those that were deleted. */
  shown(): readonly SlackDoubleMessage[];
  /** Deletes a message, as somebody in the channel may. */
  remove(ts: string): void;
}

const allScopes = ['chat:write', 'channels:history'];
const channel = 'C0DOUBLE01';
const channelName = '#ops';
// Shaped unlike real ones, so that no scanner of secrets takes them for such.
const token = 'xoxb-double-token-for-tests-only';
const webhookPath = '/services/T0DOUBLE/B0DOUBLE/webhook-secret-for-tests-only';
const pageMessagesMax = 200;

type Fields = Readonly<Record<string, unknown>>;
type Received = { readonly answer: ProviderAnswer; readonly taken: SlackDoubleMessage | null };

/** Starts a double that checks what Slack checks: token, scopes, membership, fields, block shapes, limits, pace. */
export const startSlackDouble = async (options: SlackDoubleOptions = {}): Promise<SlackDouble> => {
  const updates = createArrivals<SlackDoubleUpdate>('updates at the Slack double');
  const shown = new Map<string, SlackDoubleMessage>();
  const scopes = options.scopes ?? allScopes;
  let posted = 0;
  let lastPostedAt = Number.NEGATIVE_INFINITY;

  /** Whether the next message would come too fast; counts it when it does not. */
  const tooFast = (): boolean => {
    if (options.messagesPerSecond === undefined) return false;
    const now = performance.now();
    if (now - lastPostedAt < 1_000 / options.messagesPerSecond) return true;
    lastPostedAt = now;
    return false;
  };

  const keep = (via: SlackDoubleMessage['via'], body: Fields): SlackDoubleMessage => {
    posted += 1;
    const message: SlackDoubleMessage = {
      receivedAt: new Date().toISOString(),
      via,
      channel,
      // The time of the post, as Slack has it: what is looked up by time is found.
      ts: `${Math.floor(Date.now() / 1_000)}.${String(posted % 1_000_000).padStart(6, '0')}`,
      threadTs: typeof body['thread_ts'] === 'string' ? body['thread_ts'] : null,
      broadcast: body['reply_broadcast'] === true,
      text: typeof body['text'] === 'string' ? body['text'] : '',
      blocks: Array.isArray(body['blocks']) ? body['blocks'] : [],
      metadata: body['metadata'] ?? null,
      body,
    };
    shown.set(message.ts, message);
    return message;
  };

  const receiveWebhook = ({ path, method, headers, text }: ProviderRequest): Received => {
    const refused = (status: number, word: string): Received => ({ answer: plain(status, word), taken: null });
    if (path !== webhookPath)
      return refused(
        path.startsWith('/services/T0DOUBLE/') ? 403 : 404,
        path.startsWith('/services/T0DOUBLE/') ? 'invalid_token' : 'no_team',
      );
    if (method !== 'POST') return refused(405, 'method_not_allowed');
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) return refused(400, 'invalid_payload');
    if (options.archived === true) return refused(410, 'channel_is_archived');
    const body = parseFields(text);
    if (body === null) return refused(400, 'invalid_payload');
    const complaint = checkSlackMessage('webhook', body);
    if (complaint !== null) return refused(400, complaint.error);
    if (tooFast())
      return { answer: { status: 429, headers: { 'Retry-After': '1' }, body: 'rate_limited' }, taken: null };
    return { answer: plain(200, 'ok'), taken: keep('webhook', body) };
  };

  const receiveApi = (request: ProviderRequest): Received => {
    const method = request.path.slice('/api/'.length);
    const only = (answer: ProviderAnswer): Received => ({ answer, taken: null });
    const refused = (error: string, more: Fields = {}): Received =>
      only({ status: 200, body: { ok: false, error, ...more } });
    if (request.headers.authorization === undefined) return refused('not_authed');
    if (request.headers.authorization !== `Bearer ${token}`) return refused('invalid_auth');
    const body = bodyOf(request, method);
    if (body === null) return refused('invalid_form_data');
    if (method === 'auth.test')
      return only({
        status: 200,
        body: {
          ok: true,
          url: 'https://double.slack.com/',
          team: 'Double',
          user: 'tocsin',
          team_id: 'T0DOUBLE',
          user_id: 'U0DOUBLE',
        },
      });
    const scope = neededScope[method];
    if (scope === undefined) return refused('unknown_method');
    if (!scopes.includes(scope)) return refused('missing_scope', { needed: scope, provided: scopes.join(',') });
    // By name only where messages are written.
    const known = body['channel'] === channel || (method === 'chat.postMessage' && body['channel'] === channelName);
    if (!known) return refused('channel_not_found');
    if (options.member === false) return refused('not_in_channel');
    switch (method) {
      case 'chat.postMessage': {
        if (options.archived === true) return refused('is_archived');
        const complaint = checkSlackMessage(method, body);
        if (complaint !== null) return only(complained(complaint));
        const { thread_ts: threadTs } = body;
        if (threadTs !== undefined && (typeof threadTs !== 'string' || !shown.has(threadTs)))
          return refused('thread_not_found');
        if (tooFast())
          return only({ status: 429, headers: { 'Retry-After': '1' }, body: { ok: false, error: 'ratelimited' } });
        const message = keep('chat.postMessage', body);
        return {
          answer: { status: 200, body: { ok: true, channel, ts: message.ts, message: listed(message, true) } },
          taken: message,
        };
      }
      case 'chat.update': {
        const complaint = checkSlackMessage(method, body);
        if (complaint !== null) return only(complained(complaint));
        const ts = String(body['ts']);
        const before = shown.get(ts);
        if (before === undefined) return refused('message_not_found');
        shown.set(ts, {
          ...before,
          text: typeof body['text'] === 'string' ? body['text'] : before.text,
          blocks: Array.isArray(body['blocks']) ? body['blocks'] : before.blocks,
          metadata: body['metadata'] ?? before.metadata,
        });
        updates.add({ ts, body });
        return only({ status: 200, body: { ok: true, channel, ts } });
      }
      case 'conversations.history':
        return only(
          page(
            [...shown.values()].filter(({ threadTs, broadcast }) => threadTs === null || broadcast).toReversed(),
            body,
          ),
        );
      case 'conversations.replies': {
        if (!shown.has(String(body['ts']))) return refused('thread_not_found');
        return only(
          page(
            [...shown.values()].filter(({ ts, threadTs }) => ts === body['ts'] || threadTs === body['ts']),
            body,
          ),
        );
      }
      default:
        return refused('unknown_method');
    }
  };

  const double = await startHttpProviderDouble<SlackDoubleMessage>(
    {
      what: 'messages at the Slack double',
      receive: (request) => (request.path.startsWith('/api/') ? receiveApi(request) : receiveWebhook(request)),
      complaint: (message) => ({ ok: false, error: 'told_to_refuse', message }),
    },
    options,
  );
  return {
    baseUrl: double.baseUrl,
    apiUrl: `${double.baseUrl}api/`,
    token,
    webhookUrl: `${double.baseUrl}${webhookPath.slice(1)}`,
    channel,
    channelName,
    next: double.next,
    nextAt: double.nextAt,
    always: double.always,
    messages: double.taken,
    waitForMessages: double.waitForTaken,
    updates: updates.all,
    shown: () => [...shown.values()],
    remove: (ts) => void shown.delete(ts),
    requests: double.requests,
    waitForRequests: double.waitForRequests,
    stop: double.stop,
  };
};

const neededScope: Readonly<Record<string, string>> = {
  'chat.postMessage': 'chat:write',
  'chat.update': 'chat:write',
  'conversations.history': 'channels:history',
  'conversations.replies': 'channels:history',
};

const plain = (status: number, body: string): ProviderAnswer => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body,
});

const complained = ({ error, messages }: SlackComplaint): ProviderAnswer => ({
  status: 200,
  body: { ok: false, error, ...(messages.length === 0 ? {} : { response_metadata: { messages } }) },
});

/** A page of messages, in the order given: newest first in a channel, oldest first in a thread. */
const page = (messages: readonly SlackDoubleMessage[], body: Fields): ProviderAnswer => {
  const oldest = Number(body['oldest'] ?? 0);
  const limit = Math.min(Number(body['limit'] ?? 100), pageMessagesMax);
  const from = Number(body['cursor'] ?? 0);
  // The first message of a thread always comes along.
  const wanted = messages.filter(({ ts }) => Number(ts) >= oldest || ts === body['ts']);
  const next = from + limit < wanted.length ? String(from + limit) : '';
  return {
    status: 200,
    body: {
      ok: true,
      messages: wanted
        .slice(from, from + limit)
        .map((message) => listed(message, String(body['include_all_metadata']) === 'true')),
      has_more: next !== '',
      response_metadata: { next_cursor: next },
    },
  };
};

const listed = ({ ts, threadTs, text, blocks, metadata }: SlackDoubleMessage, withMetadata: boolean): Fields => ({
  type: 'message',
  ts,
  ...(threadTs === null ? {} : { thread_ts: threadTs }),
  text,
  // Slack names blocks that have no name.
  blocks: blocks.map((block, index) => ({ block_id: `b${index}`, ...(block as Fields) })),
  ...(withMetadata && metadata !== null ? { metadata } : {}),
});

const bodyOf = ({ headers, text }: ProviderRequest, method: string): Fields | null => {
  const type = headers['content-type'] ?? '';
  if (/^application\/x-www-form-urlencoded\b/.test(type)) return Object.fromEntries(new URLSearchParams(text));
  // Methods that read do not take JSON.
  return /^application\/json\b/.test(type) && method.startsWith('chat.') ? parseFields(text) : null;
};

const parseFields = (text: string): Fields | null => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Fields) : null;
  } catch {
    return null;
  }
};
