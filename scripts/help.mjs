// Lists the verbs of this repository: `npm run help`.
const verbs = [
  ['npm start', 'the example on an embedded Postgres, then a normal installation'],
  ['npm test', 'build, then every test'],
  ['npm run test:unit', 'tests without a database'],
  ['npm run test:db', 'tests on Postgres'],
  ['npm run e2e', 'real processes, mail servers and kills'],
  ['npm run check', 'lint, types and tests'],
  ['npm run lint', 'type-aware lint and the layer rule'],
  ['npm run typecheck', 'types of sources and tests'],
  ['npm run format', 'writes the house format'],
  ['npm run deadcode', 'unused files, exports and dependencies'],
  ['npm run gen', 'writes generated files (gen:check compares them)'],
  ['npm run bench', 'measures the budgets; names after -- choose some'],
  ['npm run chaos', 'random kills and restarts, minutes long'],
  ['npx tocsin', 'the product itself'],
];
const width = Math.max(...verbs.map(([verb]) => verb.length));
for (const [verb, does] of verbs) console.log(`${verb.padEnd(width)}  ${does}`);
