import { appendFileSync, writeSync } from 'node:fs';
import { InvariantError } from './errors.ts';

type CrashPlan = { readonly name: string; readonly hit: number };

let plan: CrashPlan | null | undefined;
let hits = 0;

/**
 * A named place where a test may kill this process, as a power cut would. Does nothing unless the environment variable
 * `TOCSIN_CRASH_AT` is `name` (dies at the first hit) or `name:N` (dies at the Nth hit, counted from 1). Then one line
 * goes to stderr, one line with the name is appended to the file named by `TOCSIN_CRASH_MARK` if that is set (tests
 * wait for it), and the process gets SIGKILL: no handler, no `finally`, no flush.
 *
 * Both variables are read once, at the first call. Throws InvariantError when `TOCSIN_CRASH_AT` cannot be read, because
 * a crash test that never crashes would prove nothing.
 */
export function crashPoint(name: string): void {
  if (plan === undefined) plan = readPlan(process.env['TOCSIN_CRASH_AT']);
  if (plan === null || plan.name !== name) return;
  hits += 1;
  if (hits !== plan.hit) return;
  writeSync(2, `crash point ${name} (hit ${hits}): killing process ${process.pid}\n`);
  const markFile = process.env['TOCSIN_CRASH_MARK'];
  if (markFile) appendFileSync(markFile, `${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

function readPlan(value: string | undefined): CrashPlan | null {
  if (!value) return null;
  const match = /^([^:]+)(?::([1-9]\d{0,8}))?$/.exec(value);
  if (!match?.[1]) {
    throw new InvariantError(`TOCSIN_CRASH_AT is ${JSON.stringify(value)}; write NAME, or NAME:N with N from 1 up.`);
  }
  return { name: match[1], hit: Number(match[2] ?? '1') };
}
