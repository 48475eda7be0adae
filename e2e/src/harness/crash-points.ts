import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../../..');
/** Where the product names its crash points: by a call, or by the name of a transaction. */
const sources = ['apps/detector/src/**/*.ts', 'apps/notifier/src/**/*.ts', 'libs/alert-service/src/**/*.ts'];
const called = /\bcrashPoint\('([^']+)'\)/g;
const transactions = /\b(?:transaction|inTransaction)(?:<[^()]*>)?\(\s*(?:[^'()]*,\s*)?'([^']+)'/g;

/** Every crash point that the sources of both workers name. */
export const crashPointsInCode = (): readonly string[] => {
  const names = new Set<string>();
  for (const file of globSync(sources, { cwd: repository })) {
    if (/\.(?:test|fixture|contract)\.ts$/.test(file)) continue;
    const text = readFileSync(resolve(repository, file), 'utf8');
    for (const [, name] of text.matchAll(called)) if (name !== undefined) names.add(name);
    for (const [, name] of text.matchAll(transactions))
      if (name !== undefined) names.add(`${name}.before_commit`).add(`${name}.after_commit`);
  }
  return [...names].toSorted();
};
