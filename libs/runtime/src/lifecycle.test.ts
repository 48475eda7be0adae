import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';

const moduleUrl = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** A process under runUntilStopped, driven by what it logs: `on` says which signals to send when an entry with that message comes. */
async function run(options: string, on: Readonly<Record<string, readonly NodeJS.Signals[]>> = {}) {
  const script = `
    import { runUntilStopped } from ${moduleUrl('./lifecycle.ts')};
    import { createLogger } from ${moduleUrl('./log.ts')};
    import { ConfigError } from ${moduleUrl('./errors.ts')};
    const log = createLogger({ level: 'info', name: 'test' });
    const idle = { stop: async () => log.info('cleaned up') };
    await runUntilStopped({ log, ${options} });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const messages: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { msg } = JSON.parse(line) as { msg: string };
      messages.push(msg);
      for (const signal of on[msg] ?? []) child.kill(signal);
    }
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, messages };
}

const started = `start: async () => { setTimeout(() => log.info('started'), 0); return idle; }`;
const neverStops = `start: async () => { setTimeout(() => log.info('started'), 0); return { stop: () => new Promise(() => {}) }; }`;

test.each(['SIGTERM', 'SIGINT'] as const)('stops gracefully with code 0 on %s', async (signal) => {
  const ending = await run(started, { started: [signal] });
  expect(ending).toEqual({ code: 0, signal: null, messages: ['started', 'stopping', 'cleaned up', 'stopped'] });
});

test('ends with code 1 when stopping takes longer than its bound', async () => {
  const ending = await run(`${neverStops}, stopTimeoutMs: 20`, { started: ['SIGTERM'] });
  expect(ending.code).toBe(1);
  expect(ending.messages.at(-1)).toBe('stopping took too long; the process ends with work unfinished');
});

test('ends with code 1 when stopping fails', async () => {
  const stop = `{ stop: async () => { throw new Error('pool is busy'); } }`;
  const ending = await run(`start: async () => { setTimeout(() => log.info('started'), 0); return ${stop}; }`, {
    started: ['SIGTERM'],
  });
  expect(ending).toMatchObject({ code: 1, messages: ['started', 'stopping', 'stopping failed'] });
});

test.each([
  { first: 'SIGTERM', second: 'SIGINT', code: 130 },
  { first: 'SIGINT', second: 'SIGTERM', code: 143 },
] as const)('ends at once with code $code when $second follows $first', async ({ first, second, code }) => {
  const ending = await run(neverStops, { started: [first], stopping: [second] });
  expect(ending).toMatchObject({ code, messages: ['started', 'stopping', 'stopped at once by a second signal'] });
});

test('ends at once when the same signal comes again later', async () => {
  const ending = await run(`${neverStops}, signalEchoMs: 0`, { started: ['SIGINT'], stopping: ['SIGINT'] });
  expect(ending.code).toBe(130);
});

test('takes the same signal at nearly the same time for an echo, as Ctrl-C under npm makes one', async () => {
  const options = `signalEchoMs: 60_000, start: async () => {
    const allowed = new Promise((resolve) => process.once('SIGUSR2', resolve));
    setTimeout(() => log.info('started'), 0);
    return { stop: () => allowed };
  }`;
  const ending = await run(options, { started: ['SIGINT'], stopping: ['SIGINT', 'SIGUSR2'] });
  expect(ending).toMatchObject({ code: 0, messages: ['started', 'stopping', 'stopped'] });
});

test('aborts a start that is under way, and stops without it', async () => {
  const start = `start: (signal) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    setTimeout(() => log.info('starting'), 0);
  })`;
  const ending = await run(start, { starting: ['SIGTERM'] });
  expect(ending).toMatchObject({ code: 0, messages: ['starting', 'stopping', 'stopped'] });
});

test('stops what a start hands over although it was told to stop meanwhile', async () => {
  const start = `start: (signal) => new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(idle));
    setTimeout(() => log.info('starting'), 0);
  })`;
  const ending = await run(start, { starting: ['SIGTERM'] });
  expect(ending).toMatchObject({ code: 0, messages: ['starting', 'stopping', 'cleaned up', 'stopped'] });
});

test.each([
  {
    caption: 'a start that fails',
    options: `start: async () => { throw new Error('no database'); }`,
    says: 'the process could not go on',
    code: 1,
  },
  {
    caption: 'a start that throws at once',
    options: `start: () => { throw new Error('no database'); }`,
    says: 'the process could not go on',
    code: 1,
  },
  {
    caption: 'a wrong configuration',
    options: `start: async () => { throw new ConfigError([]); }`,
    says: 'The configuration has 0 problems; nothing was started.',
    code: 2,
  },
  {
    caption: 'an exception nobody caught',
    options: `start: async () => { setTimeout(() => { throw new Error('bug'); }, 0); return idle; }`,
    says: 'an error was not handled; the process ends',
    code: 1,
  },
  {
    caption: 'a rejection nobody handled',
    options: `start: async () => { void Promise.reject(new Error('bug')); return idle; }`,
    says: 'a rejection was not handled; the process ends',
    code: 1,
  },
  {
    caption: 'work that ends with an error',
    options: `start: async () => ({ ...idle, finished: Promise.reject(new Error('bug')) })`,
    says: 'the process could not go on',
    code: 1,
  },
])('logs $caption as fatal and ends with code $code, without a stop', async ({ options, says, code }) => {
  const ending = await run(options);
  expect(ending.code).toBe(code);
  expect(ending.messages).toEqual([says]);
});

test('stops with code 0 when the work ends by itself', async () => {
  const ending = await run(`start: async () => ({ ...idle, finished: Promise.resolve() })`);
  expect(ending).toMatchObject({ code: 0, messages: ['stopping', 'cleaned up', 'stopped'] });
});

test('holds the process open while it waits for nothing but a signal', async () => {
  const start = `start: async () => {
    setImmediate(() => log.info(process.getActiveResourcesInfo().includes('Timeout') ? 'held open' : 'about to end'));
    return idle;
  }`;
  const ending = await run(start, { 'held open': ['SIGTERM'] });
  expect(ending.messages).toEqual(['held open', 'stopping', 'cleaned up', 'stopped']);
});
