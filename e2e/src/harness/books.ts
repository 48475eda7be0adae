import { expect } from 'vitest';
import type { Stage } from './stage.ts';
import { tail } from './worker.ts';

/** What the command line says, and how it ends. */
export interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** Runs the command line until it ends. */
export const ask = async (stage: Stage, ...args: readonly string[]): Promise<Said> => {
  const cli = stage.start('cli', { args, env: { LOG_LEVEL: 'silent' } });
  const { code } = await cli.waitForExit();
  return { code, text: cli.output() };
};

interface DoctorsReport {
  readonly findings: readonly {
    readonly check: string;
    readonly status: 'ok' | 'warn' | 'fail';
    readonly message: string;
  }[];
}

/** As an operator would look: the read models are what the log says, and every failure in the tables is accounted for. */
export const expectBooksInOrder = async (stage: Stage): Promise<void> => {
  const [replayed, examined] = await Promise.all([
    ask(stage, 'replay', '--all', '--verify', '--json'),
    ask(stage, 'doctor', '--json'),
  ]);
  expect(replayed.code, tail(replayed.text)).toBe(0);
  expect(JSON.parse(replayed.text)).toMatchObject({ ok: true, differences: 0 });
  const { findings } = JSON.parse(examined.text) as DoctorsReport;
  const failures = findings.filter(({ check }) => check === 'failures').map(({ message }) => message);
  expect(failures.length, tail(examined.text)).toBeGreaterThan(0);
  for (const message of failures) expect(message).toMatch(/^0 unaccounted /);
};
