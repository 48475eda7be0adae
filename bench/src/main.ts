/** Program: `npm run bench -- [NAME …] [--rows N] [--runs N] [--ten-million] [--node-options=…] [--keep]`. */
import { availableParallelism, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, BenchOptions } from './bench.ts';
import { formatSeconds } from './measure/format.ts';
import { findingLines, loadNow } from './measure/print-findings.ts';
import { openLab } from './world/lab.ts';

// Before React is imported: its development build is several times slower, and no installation runs it.
process.env['NODE_ENV'] = 'production';

const refuse = (reason: string): never => {
  console.error(reason);
  process.exit(2);
};

const readArguments = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      rows: { type: 'string', default: '20000' },
      runs: { type: 'string', default: '3' },
      'ten-million': { type: 'boolean', default: false },
      // For profiles and experiments: --node-options="--cpu-prof --cpu-prof-dir=/tmp/profiles"
      'node-options': { type: 'string', default: '' },
      // Leaves the logs of the workers and of PostgreSQL behind.
      keep: { type: 'boolean', default: false },
    },
  });

const parsed = ((): ReturnType<typeof readArguments> => {
  try {
    return readArguments();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
})();
const { values, positionals } = parsed;

const wholeNumber = (name: string, text: string, max: number): number => {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= max
    ? value
    : refuse(`--${name} is ${JSON.stringify(text)}; give a whole number from 1 to ${max}.`);
};

const options: BenchOptions = {
  rows: wholeNumber('rows', values.rows, 1_000_000),
  runs: wholeNumber('runs', values.runs, 100),
  tenMillion: values['ten-million'],
};

const benches: readonly Bench[] = [
  (await import('./benches/storm.ts')).storm,
  (await import('./benches/latency.ts')).latency,
  (await import('./benches/scan.ts')).scan,
  (await import('./benches/replay.ts')).replay,
  (await import('./benches/idle.ts')).idle,
  (await import('./benches/render.ts')).render,
];

const unknown = positionals.filter((name) => benches.every((bench) => bench.name !== name));
if (unknown.length > 0)
  refuse(`There is no bench ${unknown.join(', ')}; there are ${benches.map(({ name }) => name).join(', ')}.`);

const asked = positionals.length === 0 ? benches : benches.filter(({ name }) => positionals.includes(name));
const startedMs = performance.now();
console.log(
  `${new Date().toISOString()}, Node ${process.versions.node}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB of memory, load ${loadNow()}`,
);
const lab = await openLab({
  nodeOptions: values['node-options'].split(' ').filter((option) => option !== ''),
  keep: values.keep,
});
try {
  for (const bench of asked) {
    const loadBefore = loadNow();
    const findings = await bench.run(lab, options);
    console.log(`\n${bench.name}: ${bench.summary} (load ${loadBefore} before, ${loadNow()} after)`);
    for (const line of findingLines(findings)) console.log(line);
  }
} finally {
  await lab.close();
}
console.log(`\ntook ${formatSeconds(performance.now() - startedMs)}`);
