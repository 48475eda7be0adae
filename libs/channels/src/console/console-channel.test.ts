import { describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import { createChannel } from '../create-channel.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';

channelContract('The console', {
  start: async () => {
    const log = recordingLog();
    return {
      channel: createChannel('primary', { type: 'console' }, { log }),
      secrets: [],
      log,
      received: async () => null,
      stop: async () => {},
    };
  },
  domain: 'localhost',
  failures: [],
});

describe('the console channel', () => {
  const options = { signal: new AbortController().signal, timeoutMs: 5_000 };

  test('writes one line for a message, with every item by name, at a level nobody switches off', async () => {
    const log = recordingLog();
    const outgoing = sampleOutgoing({ items: [sampleItem({ kind: 'resolved', title: 'prices' }), sampleItem()] });
    await createChannel('console', { type: 'console' }, { log }).send(outgoing, options);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      message: 'songs failed after 3 attempts',
      fields: {
        channel: 'console',
        deliveryId: outgoing.deliveryId,
        items: ['new: apple/refresh_catalog/songs failed (alert 3f2a9c1e)', 'resolved: prices (alert 3f2a9c1e)'],
      },
    });
  });

  test('writes good news at level info', async () => {
    const log = recordingLog();
    await createChannel('console', { type: 'console' }, { log }).send(
      sampleOutgoing({ items: [sampleItem({ kind: 'resolved' })] }),
      options,
    );
    expect(log.lines.map(({ level }) => level)).toEqual(['info']);
  });

  test.each([
    ['without failures at level info', 0, 'info'],
    ['with failures at level error', 1, 'error'],
  ])('writes what became of jobs told before %s', async (_caption, failures, level) => {
    const log = recordingLog();
    await createChannel('console', { type: 'console' }, { log }).send(
      sampleOutgoing({ items: [sampleItem({ kind: 'update', failures }), sampleItem({ kind: 'resolved' })] }),
      options,
    );
    expect(log.lines.map((line) => line.level)).toEqual([level]);
  });
});
