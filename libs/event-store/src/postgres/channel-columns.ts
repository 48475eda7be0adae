import { instantText } from '../instant.ts';

/** The columns of `tocsin.channel_states`, named so that a row is a `ChannelState` of the store. */
export const channelColumns = `
  channel_states.channel,
  channel_states.failures,
  ${instantText('channel_states.open_until')} as "openUntil",
  channel_states.opened,
  ${instantText('channel_states.parked_at')} as "parkedAt",
  channel_states.parked_reason as "parkedReason",
  ${instantText('channel_states.last_accepted_at')} as "lastAcceptedAt",
  ${instantText('channel_states.last_failed_at')} as "lastFailedAt",
  ${instantText('channel_states.verified_at')} as "verifiedAt",
  channel_states.verified_settings as "verifiedSettings"`;
