import { z } from 'zod';

/** Identifiers are branded so that one kind is never passed for another; each is made by one parser. */
export const AlertId = z.uuid().brand<'AlertId'>();
export type AlertId = z.infer<typeof AlertId>;

export const DigestId = z.uuid().brand<'DigestId'>();
export type DigestId = z.infer<typeof DigestId>;

/** Identity of one outcome of one job; a job retried by hand that fails again is a new outcome. */
export const OutcomeId = z.uuid().brand<'OutcomeId'>();
export type OutcomeId = z.infer<typeof OutcomeId>;

export const DeliveryId = z.uuid().brand<'DeliveryId'>();
export type DeliveryId = z.infer<typeof DeliveryId>;

/** An instant as ISO-8601 in UTC, `2026-03-01T03:04:05.678901Z`: sorts as text when the precision is equal. */
export const Instant = z.iso.datetime();
export type Instant = z.infer<typeof Instant>;

/** The stream that holds the events of an alert. */
export const alertStream = (id: AlertId): string => `alert-${id}`;

/** The stream that holds the events of a digest. */
export const digestStream = (id: DigestId): string => `digest-${id}`;
