import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { Harness, ReceivedMail } from '../channel.contract.ts';
import { createChannel } from '../create-channel.ts';
import { recordingLog, sampleOutgoing } from '../sample-outgoing.contract.ts';

const mailIn = async (path: string): Promise<ReceivedMail> => {
  const raw = readFileSync(path);
  const mail = await simpleParser(raw);
  return {
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html === false ? '' : (mail.html ?? ''),
    to: [mail.to ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address ?? '')),
    messageId: mail.messageId ?? '',
    inReplyTo: mail.inReplyTo ?? null,
    references: mail.references === undefined ? null : [mail.references].flat().join(' '),
    headerText: mail.headerLines.map(({ line }) => line).join('\n'),
  };
};

const harnessIn = (root: string, directory: string): Harness => {
  const log = recordingLog();
  return {
    channel: createChannel('primary', { type: 'outbox', directory }, { log }),
    secrets: [],
    log,
    received: async () => {
      const files = existsSync(directory) && statSync(directory).isDirectory() ? readdirSync(directory) : [];
      return Promise.all(files.filter((file) => file.endsWith('.eml')).map((file) => mailIn(join(directory, file))));
    },
    stop: async () => rmSync(root, { recursive: true, force: true }),
  };
};

const start = async (): Promise<Harness> => {
  const root = mkdtempSync(join(tmpdir(), 'tocsin-outbox-'));
  return harnessIn(root, join(root, 'a', 'outbox'));
};

channelContract('The outbox', {
  start,
  domain: 'localhost',
  failures: [
    {
      title: 'a file in the place of its directory as storage',
      start: async () => {
        const root = mkdtempSync(join(tmpdir(), 'tocsin-outbox-'));
        writeFileSync(join(root, 'outbox'), '');
        return harnessIn(root, join(root, 'outbox'));
      },
      outcome: 'retry',
      reason: 'storage',
    },
    {
      // Takes no files from anybody, root included.
      title: 'a directory that takes no files as storage',
      start: async () => {
        const root = mkdtempSync(join(tmpdir(), 'tocsin-outbox-'));
        return { ...harnessIn(root, '/proc/1/net'), received: async () => [] };
      },
      outcome: 'retry',
      reason: 'storage',
    },
  ],
});

describe('the outbox', () => {
  const roots: string[] = [];
  const freshRoot = (): string => {
    const root = mkdtempSync(join(tmpdir(), 'tocsin-outbox-'));
    roots.push(root);
    return root;
  };
  afterEach(() => {
    for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
  });
  const options = { signal: new AbortController().signal, timeoutMs: 5_000 };

  test('keeps a mail, its HTML and its text under a name that sorts by time, readable by its owner only', async () => {
    const directory = join(freshRoot(), 'outbox');
    const channel = createChannel('local', { type: 'outbox', directory }, { log: recordingLog() });
    const outgoing = sampleOutgoing();
    const base = `2026-11-16T030712Z-${outgoing.messageId}`;
    expect(await channel.send(outgoing, options)).toEqual({
      outcome: 'accepted',
      providerMessageId: `${base}.eml`,
      status: null,
    });
    expect(readdirSync(directory).toSorted()).toEqual([`${base}.eml`, `${base}.html`, `${base}.txt`]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, `${base}.txt`), 'utf8')).toContain('songs failed after 3 attempts');
  });

  test('holds a message sent twice once', async () => {
    const directory = join(freshRoot(), 'outbox');
    const channel = createChannel('local', { type: 'outbox', directory }, { log: recordingLog() });
    const outgoing = sampleOutgoing();
    await channel.send(outgoing, options);
    await channel.send({ ...outgoing, attemptId: 'another' }, options);
    expect(readdirSync(directory)).toHaveLength(3);
  });

  test('leaves the mode of a directory alone that somebody else made', async () => {
    const directory = join(freshRoot(), 'outbox');
    mkdirSync(directory);
    chmodSync(directory, 0o750);
    const channel = createChannel('local', { type: 'outbox', directory }, { log: recordingLog() });
    expect((await channel.send(sampleOutgoing(), options)).outcome).toBe('accepted');
    expect(statSync(directory).mode & 0o777).toBe(0o750);
  });
});
