import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crashPoint } from './crash-point.ts';

const hitsMax = 3;
const script = `
  import { crashPoint } from ${JSON.stringify(new URL('./crash-point.ts', import.meta.url).href)};
  process.on('exit', () => console.log('exit handler'));
  for (let hit = 1; hit <= ${hitsMax}; hit += 1) {
    crashPoint('other');
    crashPoint('after-commit');
    console.log('survived hit ' + hit);
  }
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-crash-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Ending = {
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly mark: string | undefined;
};

function run(crashAt: string | undefined): Promise<Ending> {
  const markFile = join(folder, `mark-${crashAt?.replaceAll(/\W/g, '-')}`);
  const env = {
    ...process.env,
    TOCSIN_CRASH_MARK: markFile,
    ...(crashAt !== undefined && { TOCSIN_CRASH_AT: crashAt }),
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { env }, (error, stdout, stderr) => {
      const mark = existsSync(markFile) ? readFileSync(markFile, 'utf8') : undefined;
      resolve({ signal: (error as { signal?: string } | null)?.signal ?? null, stdout, stderr, mark });
    });
  });
}

const survived = (hits: number) => Array.from({ length: hits }, (_, index) => `survived hit ${index + 1}\n`).join('');

test('does nothing without TOCSIN_CRASH_AT', async () => {
  expect(await run(undefined)).toEqual({
    signal: null,
    stdout: `${survived(hitsMax)}exit handler\n`,
    stderr: '',
    mark: undefined,
  });
  crashPoint('after-commit');
});

test('does nothing at points of another name', async () => {
  expect(await run('before-commit')).toMatchObject({
    signal: null,
    stdout: `${survived(hitsMax)}exit handler\n`,
    mark: undefined,
  });
});

test('kills the process at the first hit, after a line on stderr and one in the mark file', async () => {
  const ending = await run('after-commit');
  expect(ending).toMatchObject({ signal: 'SIGKILL', stdout: '', mark: 'after-commit\n' });
  expect(ending.stderr).toMatch(/^crash point after-commit \(hit 1\): killing process \d+\n$/);
});

test('kills the process at the Nth hit of that name only', async () => {
  expect(await run('after-commit:3')).toMatchObject({ signal: 'SIGKILL', stdout: survived(2), mark: 'after-commit\n' });
});

test('refuses a plan it cannot read, since a crash test without a crash proves nothing', async () => {
  const ending = await run('after-commit:0');
  expect(ending.stderr).toContain('TOCSIN_CRASH_AT is "after-commit:0"; write NAME, or NAME:N with N from 1 up.');
  expect(ending.stdout).toBe('exit handler\n');
});
