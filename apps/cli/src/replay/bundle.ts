import { open } from 'node:fs/promises';
import { eventSchemaVersion, parseEvent } from '@tocsin/alert-model';
import type { StoredEvent } from '@tocsin/event-store';
import { UsageError } from '../usage-error.ts';

/** Version of the file's form; a reader refuses a newer one. */
export const bundleVersion = 1;

/** The first line of a bundle. */
export interface BundleHeader {
  readonly tocsin: 'bundle';
  readonly version: typeof bundleVersion;
  /** By the database's clock. */
  readonly exportedAt: string;
  readonly tocsinVersion: string;
  readonly since: string | null;
  readonly alertId: string | null;
}

/** One event as a line of a bundle, without its line feed. */
export const bundleLine = ({
  position,
  streamId,
  version,
  eventId,
  event,
  metadata,
  recordedAt,
}: StoredEvent): string =>
  JSON.stringify({
    position,
    streamId,
    version,
    eventId,
    type: event.type,
    schemaVersion: eventSchemaVersion,
    occurredAt: event.occurredAt,
    recordedAt,
    data: event.data,
    metadata,
  });

/**
 * Reads the events of a bundle one by one, in the order of the file. Needs no database.
 *
 * @throws UsageError when the file cannot be read or is no bundle of this version, naming the line
 */
export async function* readBundle(file: string): AsyncGenerator<StoredEvent> {
  const handle = await open(file).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  });
  let number = 0;
  try {
    for await (const line of handle.readLines({ autoClose: false })) {
      number += 1;
      if (number === 1) checkHeader(file, parseLine(file, number, line));
      else if (line.trim() !== '') yield toEvent(file, number, parseLine(file, number, line));
    }
  } finally {
    await handle.close();
  }
  if (number === 0)
    throw new UsageError(`${file} is empty; a bundle is written by: npx tocsin events export --file FILE`);
}

const parseLine = (file: string, number: number, line: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, for every line that is no object.
  }
  throw new UsageError(`${file}, line ${number}, is no JSON object: the file is no bundle, or was cut off.`);
};

const checkHeader = (file: string, header: Readonly<Record<string, unknown>>): void => {
  if (header['tocsin'] !== 'bundle')
    throw new UsageError(`${file} is no bundle; one is written by: npx tocsin events export --file FILE`);
  if (header['version'] !== bundleVersion)
    throw new UsageError(
      `${file} is a bundle of version ${String(header['version'])}; this Tocsin reads version ${bundleVersion}.`,
    );
};

const toEvent = (file: string, number: number, line: Readonly<Record<string, unknown>>): StoredEvent => {
  const { position, streamId, version, eventId, type, schemaVersion, occurredAt, recordedAt, data, metadata } = line;
  if (
    typeof streamId !== 'string' ||
    typeof type !== 'string' ||
    typeof occurredAt !== 'string' ||
    typeof position !== 'number' ||
    typeof version !== 'number'
  )
    throw new UsageError(
      `${file}, line ${number}, is no event: it needs position, streamId, version, type and occurredAt.`,
    );
  return {
    position,
    streamId,
    version,
    eventId: String(eventId),
    event: parseEvent({ type, schemaVersion: Number(schemaVersion), occurredAt, data }),
    metadata: (metadata ?? {}) as StoredEvent['metadata'],
    recordedAt: String(recordedAt),
  };
};
