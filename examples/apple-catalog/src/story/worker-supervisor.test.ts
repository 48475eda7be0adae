import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChildProgram, type ChildProgram } from './child-program.ts';
import { superviseWorker, type WorkerSupervisor } from './worker-supervisor.ts';

let directory: string;
let supervisor: WorkerSupervisor;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'apple-catalog-'));
});

afterEach(async () => {
  await supervisor.stop();
  await rm(directory, { recursive: true });
});

async function startProgram(source: string): Promise<ChildProgram> {
  const script = path.join(directory, 'program.mjs');
  await writeFile(script, source);
  return startChildProgram({ name: 'worker', script, env: process.env, cwd: directory, logFile: `${script}.log` });
}

test('puts another worker in the place of one that was killed', async () => {
  const replaced: string[] = [];
  const start = (): Promise<ChildProgram> => startProgram('setInterval(() => {}, 1000)');
  supervisor = await superviseWorker(start, (how) => replaced.push(how));
  const first = supervisor.pid();
  await supervisor.killWorker();
  expect(replaced).toEqual(['SIGKILL']);
  expect(supervisor.pid()).not.toBe(first);
});

test('reports a worker that ends by itself, with its last lines', async () => {
  supervisor = await superviseWorker(
    () => startProgram('console.error("no such database"); process.exitCode = 3'),
    () => undefined,
  );
  await expect(supervisor.crashed).rejects.toThrow(/"worker" ended \(exit code 3\)[\s\S]+\| no such database/);
});
