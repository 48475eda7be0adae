import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createChannel } from '../create-channel.ts';
import { recordingLog, sampleOutgoing } from '../sample-outgoing.contract.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});
const options = { signal: new AbortController().signal, timeoutMs: 5_000 };

const sendAt = async (keep: number | undefined, minutes: readonly number[]): Promise<readonly string[]> => {
  const directory = mkdtempSync(join(tmpdir(), 'tocsin-outbox-'));
  roots.push(directory);
  writeFileSync(join(directory, 'a-note-of-somebody.eml'), '');
  const channel = createChannel('canary', { type: 'outbox', directory, keep }, { log: recordingLog() });
  for (const minute of minutes)
    expect(
      await channel.send(sampleOutgoing({ composedAt: `2026-11-16T03:0${minute}:00.123Z` }), options),
    ).toMatchObject({ outcome: 'accepted' });
  return readdirSync(directory);
};

const minutesOf = (files: readonly string[], ending: string): readonly string[] =>
  files
    .filter((file) => file.startsWith('2026') && file.endsWith(ending))
    .map((file) => file.slice(14, 15))
    .toSorted();

describe('an outbox that keeps the newest', () => {
  test('removes older messages with their text and HTML, and nothing else', async () => {
    const files = await sendAt(2, [3, 1, 4, 2]);
    for (const ending of ['.eml', '.html', '.txt']) expect(minutesOf(files, ending)).toEqual(['3', '4']);
    expect(files).toContain('a-note-of-somebody.eml');
    expect(files).toHaveLength(7);
  });

  test('keeps all without a number, and one at least', async () => {
    expect(minutesOf(await sendAt(undefined, [1, 2, 3]), '.eml')).toHaveLength(3);
    expect(minutesOf(await sendAt(0, [1, 2, 3]), '.eml')).toEqual(['3']);
  });
});
