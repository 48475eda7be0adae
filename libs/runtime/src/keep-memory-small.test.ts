import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const moduleUrl = JSON.stringify(new URL('keep-memory-small.ts', import.meta.url).href);

/** Runs a process that makes much garbage and keeps 100,000 objects; gives the size of its space for new objects, in bytes. */
async function newSpaceBytes(prologue: string): Promise<{ readonly bytes: number; readonly stderr: string }> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepMemorySmall } from ${moduleUrl};
    ${prologue}
    const kept = [];
    for (let n = 0; n < 3_000_000; n += 1) {
      const made = { n, text: String(n) };
      if (n % 30 === 0) kept.push(made);
    }
    if (kept.length !== 100_000) throw new Error('lost');
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);
  `;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return { bytes: Number(stdout), stderr };
}

test('V8 knows both flags and heeds them: much garbage no longer makes the space for new objects grow', async () => {
  const [small, usual] = [await newSpaceBytes('keepMemorySmall();'), await newSpaceBytes('')];
  expect(small.stderr).toBe('');
  expect(small.bytes).toBeLessThanOrEqual(4 * 1_048_576);
  expect(usual.bytes).toBeGreaterThan(small.bytes);
});
