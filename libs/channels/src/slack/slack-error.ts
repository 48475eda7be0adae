import type { DeliveryReason } from '@tocsin/alert-model';

/** What an error word of Slack's means for the message it answers. */
export type SlackErrorMeaning = { readonly outcome: 'retry' | 'rejected' | 'unknown'; readonly reason: DeliveryReason };

/** The token, the app or its rights: somebody has to repair it. */
const unauthorized = [
  'not_authed',
  'invalid_auth',
  'invalid_token',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'no_permission',
  'missing_scope',
  'not_allowed_token_type',
  'access_denied',
  'team_access_not_granted',
  'org_login_required',
  'ekm_access_denied',
  'enterprise_is_restricted',
  'two_factor_setup_required',
  'accesslimited',
  'action_prohibited',
  'posting_to_general_channel_denied',
  'restricted_action',
  'restricted_action_read_only_channel',
  'restricted_action_non_threadable_channel',
  'restricted_action_thread_only_channel',
  'not_in_channel',
];
/** The place the message goes to: somebody has to name another, or to make it a place again. */
const misconfigured = [
  'channel_not_found',
  'channel_is_archived',
  'is_archived',
  'is_inactive',
  'messages_tab_disabled',
  'no_service',
  'no_service_id',
  'no_team',
  'no_active_hooks',
  'team_disabled',
  'user_not_found',
  'unknown_method',
  'invalid_channel',
  'method_deprecated',
  'deprecated_endpoint',
];
const tooLarge = [
  'msg_too_long',
  'msg_blocks_too_long',
  'too_many_attachments',
  'metadata_too_large',
  'request_too_large',
];
const rateLimited = ['ratelimited', 'rate_limited', 'message_limit_exceeded', 'rollup_error'];
/** Nothing was done. */
const broken = ['service_unavailable', 'request_timeout', 'team_added_to_org', 'external_channel_migrating'];
/** "It's possible some aspect of the operation succeeded before the error was raised" (every page of a method). */
const perhapsDone = ['internal_error', 'fatal_error'];

const meanings: ReadonlyMap<string, SlackErrorMeaning> = new Map<string, SlackErrorMeaning>([
  ...unauthorized.map((word) => [word, { outcome: 'rejected', reason: 'unauthorized' }] as const),
  ...misconfigured.map((word) => [word, { outcome: 'rejected', reason: 'misconfigured' }] as const),
  ...tooLarge.map((word) => [word, { outcome: 'rejected', reason: 'too-large' }] as const),
  ...rateLimited.map((word) => [word, { outcome: 'retry', reason: 'rate-limited' }] as const),
  ...broken.map((word) => [word, { outcome: 'retry', reason: 'server-error' }] as const),
  ...perhapsDone.map((word) => [word, { outcome: 'unknown', reason: 'server-error' }] as const),
]);

/** The meaning of an error word; one that is not known is a bad request, since repeating it would say the same. */
export const slackErrorMeaning = (error: string): SlackErrorMeaning =>
  meanings.get(error) ?? { outcome: 'rejected', reason: 'bad-request' };

/** Words by which Slack refuses the form of a message, not what it says: the same as text alone may be taken. */
const formWords: ReadonlySet<string> = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'invalid_metadata_format',
  'invalid_metadata_schema',
  'metadata_too_large',
]);

/** Whether Slack refused the blocks of a message, or what goes with them. */
export const refusesForm = (error: string): boolean => formWords.has(error);
