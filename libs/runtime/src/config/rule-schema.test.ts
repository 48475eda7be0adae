import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const ruleOf = (text: string, env = {}) => loadText(`rules: [{ match: {}, ${text} }]`, env).rules[0];
const problemsOf = (text: string) =>
  problemsOfText(`rules: [{ match: {}, ${text} }]`).map((line) => line.replace('rules[0].', ''));

const form = 'must be a whole number followed by ms, s, m, h or d, for example 500ms, 90s, 15m, 2h, 14d, or 0';
const kinds = 'failed, dead, partial, stuck, stalled, overdue, deadline, zero_throughput, unhealthy';

describe('match.kind', () => {
  test('is one kind or several', () => {
    const { rules } = loadText('rules: [{ match: { kind: stuck } }, { match: { kind: [failed, dead], source: a } }]');
    expect(rules.map(({ match }) => match)).toEqual([
      { kind: ['stuck'] },
      { kind: ['failed', 'dead'], source: ['a'] },
      {},
    ]);
  });

  test.each([
    ['kind: stuk', `rules[0].match.kind: must be one of ${kinds}; did you mean "stuck"?; got "stuk"`],
    ['kind: [stuck, fialed]', `rules[0].match.kind[1]: must be one of ${kinds}; did you mean "failed"?; got "fialed"`],
    [
      'kind: []',
      'rules[0].match.kind: the list is empty, so nothing would match; leave the field out to match everything; got []',
    ],
  ])('refuses %s', (match, problem) => {
    expect(problemsOfText(`rules: [{ match: { ${match} } }]`)).toEqual([problem]);
  });

  test.each([
    ['failed', 'stuck_after: 1m', 'stuck_after: is heeded by stuck only, and this rule is for failed'],
    [
      '[stuck, stalled]',
      'threshold: { in_a_row: 3 }',
      'threshold: is heeded by failed, dead, partial only, and this rule is for stuck, stalled',
    ],
    ['dead', 'partial: off', 'partial: is heeded by partial only, and this rule is for dead'],
  ])('refuses for %s what it never heeds (%s)', (kind, setting, problem) => {
    expect(problemsOfText(`rules: [{ match: { kind: ${kind} }, ${setting} }]`)).toEqual([
      `rules[0].${problem}; move it to a rule without match.kind`,
    ]);
  });

  test('takes what one of several kinds heeds', () => {
    expect(
      problemsOfText('rules: [{ match: { kind: [stuck, failed] }, stuck_after: 1m, threshold: { in_a_row: 2 } }]'),
    ).toEqual([]);
  });

  test('a rule that ignores one kind leaves the others, so routes are still used', () => {
    expect(
      problemsOfText('rules: [{ match: { kind: stalled }, ignore: true }]\nroutes: [{ name: a, channels: [outbox] }]'),
    ).toEqual([]);
  });
});

describe('severity', () => {
  test('has no default in the last rule: it depends on the kind', () => {
    expect(loadText('').rules).toEqual([{ match: {}, groupBy: ['source', 'job_type', 'target_id'], ignore: false }]);
  });

  test('of kinds that are warnings by themselves makes a route for warnings reachable', () => {
    expect(problemsOfText('routes: [{ name: a, match: { severity: warning }, channels: [outbox] }]')).toEqual([]);
  });

  test('that nothing gives makes a route unreachable', () => {
    expect(problemsOfText('routes: [{ name: a, match: { severity: info }, channels: [outbox] }]')).toEqual([
      'routes[0].match.severity: this route is never used, because no rule gives the severity info (they give: warning, error); add such a rule or drop this match',
    ]);
  });
});

describe('threshold', () => {
  test.each([
    ['{ in_a_row: 3 }', { kind: 'in-a-row', failures: 3 }],
    ['{ failures: 5, within: 10m }', { kind: 'count', failures: 5, withinMs: 10 * MINUTE_MS }],
    ['{ ratio: 0.2, within: 1h, at_least: 20 }', { kind: 'ratio', over: 0.2, withinMs: HOUR_MS, atLeast: 20 }],
    ['{ ratio: 20%, within: 1h, at_least: 20 }', { kind: 'ratio', over: 0.2, withinMs: HOUR_MS, atLeast: 20 }],
    [
      '{ ratio: "0.5 %", within: 14d, at_least: 1 }',
      { kind: 'ratio', over: 0.005, withinMs: 336 * HOUR_MS, atLeast: 1 },
    ],
  ])('reads %s', (text, threshold) => {
    expect(ruleOf(`threshold: ${text}`)?.threshold).toEqual(threshold);
  });

  const share = 'must be a share, such as 0.05 or "5%"';
  test.each([
    ['3', 'threshold: must be a mapping of keys to values; got 3'],
    ['{}', 'threshold: must name one of in_a_row, failures and ratio; got {}'],
    ['{ inarow: 3 }', 'threshold.inarow: unknown key; did you mean "in_a_row"?'],
    ['{ in_a_row: 0 }', 'threshold.in_a_row: must be at least 1; got 0'],
    ['{ in_a_row: 1001 }', 'threshold.in_a_row: must be at most 1000; got 1001'],
    [
      '{ in_a_row: 3, ratio: 0.1 }',
      'threshold: must name only one of in_a_row, failures and ratio; got {"in_a_row":3,"ratio":0.1}',
    ],
    [
      '{ in_a_row: 3, within: 1h }',
      'threshold: in_a_row stands alone; drop within and at_least; got {"in_a_row":3,"within":"1h"}',
    ],
    [
      '{ failures: 3 }',
      'threshold: lacks within, the time in which they count, such as within: 1h; got {"failures":3}',
    ],
    [
      '{ failures: 3, within: 1h, at_least: 4 }',
      'threshold: at_least belongs to ratio; drop it; got {"failures":3,"within":"1h","at_least":4}',
    ],
    ['{ failures: 3, within: 15d }', 'threshold.within: must be at most 14d; got "15d"'],
    [
      '{ ratio: 20, within: 1h, at_least: 3 }',
      `threshold.ratio: ${share}, below 1, since nothing is more than all; got 20`,
    ],
    ['{ ratio: 0%, within: 1h, at_least: 3 }', `threshold.ratio: ${share}, above 0; got "0%"`],
    ['{ ratio: a fifth, within: 1h, at_least: 3 }', `threshold.ratio: ${share}; got "a fifth"`],
    [
      '{ ratio: 0.2, within: 1d }',
      'threshold: lacks at_least, how many jobs must have ended before the ratio counts, such as at_least: 20; got {"ratio":0.2,"within":"1d"}',
    ],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(`threshold: ${text}`)).toEqual([problem]);
  });
});

describe('stuck_after', () => {
  test.each([
    // Without heartbeats the detector takes it for the last change.
    ['30m', { mode: 'fixed', heartbeatMs: 30 * MINUTE_MS, updateMs: null }],
    ['{ heartbeat: 15m, update: 5m }', { mode: 'fixed', heartbeatMs: 15 * MINUTE_MS, updateMs: 5 * MINUTE_MS }],
    ['{ update: 20m }', { mode: 'fixed', heartbeatMs: null, updateMs: 20 * MINUTE_MS }],
    ['auto', { mode: 'auto', factor: 3, floorMs: 15 * MINUTE_MS }],
    ['{ auto: {} }', { mode: 'auto', factor: 3, floorMs: 15 * MINUTE_MS }],
    ['{ auto: { factor: 1.5, floor: 10m } }', { mode: 'auto', factor: 1.5, floorMs: 10 * MINUTE_MS }],
    ['off', { mode: 'off' }],
  ])('reads %s', (text, stuckAfter) => {
    expect(ruleOf(`stuck_after: ${text}`)?.stuckAfter).toEqual(stuckAfter);
  });

  test.each([
    ['15', ['stuck_after: must have a unit, such as 15s or 15m; got 15']],
    ['0', ['stuck_after: must be at least 1s; got 0']],
    ['500ms', ['stuck_after: must be at least 1s; or auto, or off; got "500ms"']],
    ['400d', ['stuck_after: must be at most 365d; or auto, or off; got "400d"']],
    ['soon', [`stuck_after: ${form}; or auto, or off; got "soon"`]],
    ['[1m]', [`stuck_after: ${form}; or auto, or off, or a mapping with heartbeat and update; got ["1m"]`]],
    ['{}', ['stuck_after: must name heartbeat, update or both, or else auto alone; got {}']],
    ['{ heartbet: 1m }', ['stuck_after.heartbet: unknown key; did you mean "heartbeat"?']],
    ['{ heartbeat: 1 }', ['stuck_after.heartbeat: must have a unit, such as 1s or 1m; got 1']],
    [
      '{ auto: {}, update: 1m }',
      ['stuck_after: must name heartbeat, update or both, or else auto alone; got {"auto":{},"update":"1m"}'],
    ],
    ['{ auto: { flor: 1m } }', ['stuck_after.auto.flor: unknown key; did you mean "floor"?']],
    [
      '{ auto: { factor: 0.5, floor: 0 } }',
      ['stuck_after.auto.factor: must be at least 1; got 0.5', 'stuck_after.auto.floor: must be at least 1s; got 0'],
    ],
  ])('refuses %s', (text, problems) => {
    expect(problemsOf(`stuck_after: ${text}`)).toEqual(problems);
  });
});

describe('stalled_after and no_completion_after', () => {
  test('are durations, or off', () => {
    expect(ruleOf('stalled_after: 30m, no_completion_after: off')).toMatchObject({
      stalledAfterMs: 30 * MINUTE_MS,
      noCompletionAfterMs: null,
    });
  });

  test.each([
    ['stalled_after: 5', 'stalled_after: must have a unit, such as 5s or 5m; or off; got 5'],
    ['stalled_after: never', `stalled_after: ${form}; or off; got "never"`],
    ['no_completion_after: 0', 'no_completion_after: must be at least 1s; or off; got 0'],
    ['no_completion_after: 366d', 'no_completion_after: must be at most 365d; or off; got "366d"'],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });
});

describe('partial', () => {
  test.each([
    ['off', 'off'],
    ['{ failed: 10 }', { failed: 10, ratio: null }],
    ['{ ratio: 5% }', { failed: null, ratio: 0.05 }],
    ['{ failed: 0, ratio: 0 }', { failed: 0, ratio: 0 }],
  ])('reads %s', (text, partial) => {
    expect(ruleOf(`partial: ${text}`)?.partial).toEqual(partial);
  });

  test.each([
    ['5%', 'partial: must be off, or a mapping with failed and ratio; got "5%"'],
    ['{}', 'partial: must name failed, ratio or both; got {}'],
    ['{ fail: 1 }', 'partial.fail: unknown key; did you mean "failed"?'],
    ['{ failed: -1 }', 'partial.failed: must be at least 0; got -1'],
    [
      '{ ratio: 100% }',
      'partial.ratio: must be a share, such as 0.05 or "5%", below 1, since nothing is more than all; got "100%"',
    ],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(`partial: ${text}`)).toEqual([problem]);
  });
});

describe('on_stuck', () => {
  const schema = '{ type: object, required: [stage], properties: { stage: { enum: [pdf_loaded, text_extracted] } } }';
  test.each([
    ['alert', { action: 'alert' }],
    ['mark_dead', { action: 'mark_dead' }],
    ['{ action: mark_dead }', { action: 'mark_dead' }],
    ['requeue', { action: 'requeue', restartsMax: 3, backoffMs: MINUTE_MS, checkpointSchema: null }],
    [
      `{ action: requeue, max_restarts: 5, backoff: 30s, checkpoint: ${schema} }`,
      {
        action: 'requeue',
        restartsMax: 5,
        backoffMs: 30_000,
        checkpointSchema: {
          type: 'object',
          required: ['stage'],
          properties: { stage: { enum: ['pdf_loaded', 'text_extracted'] } },
        },
      },
    ],
  ])('reads %s', (text, onStuck) => {
    expect(ruleOf(`on_stuck: ${text}`, { JANITOR_DATABASE_URL: 'postgres://janitor@db/jobs' })?.onStuck).toEqual(
      onStuck,
    );
  });

  test.each([
    ['restart', 'on_stuck: must be one of alert, mark_dead, requeue; got "restart"'],
    ['3', 'on_stuck: must be one of alert, mark_dead, requeue, or a mapping with action; got 3'],
    ['{ max_restarts: 3 }', 'on_stuck.action: is missing; it must be one of alert, mark_dead, requeue'],
    ['{ action: requeue, max_restart: 3 }', 'on_stuck.max_restart: unknown key; did you mean "max_restarts"?'],
    [
      '{ action: mark_dead, max_restarts: 3 }',
      'on_stuck.max_restarts: means nothing for mark_dead; drop it, or write action: requeue; got 3',
    ],
    ['{ action: requeue, max_restarts: 0 }', 'on_stuck.max_restarts: must be at least 1; got 0'],
    ['{ action: requeue, backoff: 2d }', 'on_stuck.backoff: must be at most 1d; got "2d"'],
    [
      '{ action: requeue, checkpoint: stage }',
      'on_stuck.checkpoint: must be a mapping of names to values; got "stage"',
    ],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(`on_stuck: ${text}`)).toEqual([problem]);
  });

  test.each([
    ['{ type: objekt }', 'cannot be used as a JSON Schema (Unsupported type: objekt); simplify it'],
    ['{ type: object, requird: [a] }', 'is no usable JSON Schema: the word requird means nothing in it'],
    [
      '{ type: object, properties: { a: { type: string, minLenght: 1 } } }',
      'is no usable JSON Schema: the word minLenght means nothing in it',
    ],
    ['{ type: object, properties: 3 }', 'is no usable JSON Schema: properties holds 3, which is no schema map'],
    ['{ required: [a] }', 'is no usable JSON Schema: required checks nothing without a type; add type: object'],
    [
      '{ type: string, pattern: "(" }',
      'cannot be used as a JSON Schema (Invalid regular expression: /(/: Unterminated group); simplify it',
    ],
    [
      '{ $ref: "https://example.com/x" }',
      'cannot be used as a JSON Schema (External $ref is not supported, only local refs (#/...) are allowed); simplify it',
    ],
  ])('refuses the schema %s, which would check nothing or something else', (text, problem) => {
    expect(problemsOf(`on_stuck: { action: requeue, checkpoint: ${text} }`)[0]).toContain(
      `on_stuck.checkpoint: ${problem}; got `,
    );
  });
});

describe('the janitor', () => {
  const janitor = 'postgres://janitor:geheim@db/jobs';
  const requeue = 'rules: [{ match: {}, on_stuck: requeue }]';
  const connections = (yaml: string, env = {}) => loadText(yaml, env).jobs.map((job) => job.janitorDatabaseUrl);
  const said = (yaml: string, env = {}) =>
    loadText(yaml, env).warnings.filter((warning) => warning.includes('janitor'));

  test('has no connection unless a rule asks for one', () => {
    expect(connections('', { JANITOR_DATABASE_URL: janitor })).toEqual([undefined]);
    expect(connections('rules: [{ match: {}, on_stuck: alert }]', { JANITOR_DATABASE_URL: janitor })).toEqual([
      undefined,
    ]);
    expect(connections(requeue, { JANITOR_DATABASE_URL: janitor })).toEqual([janitor]);
  });

  test('never takes the connection of another database for a table that has one of its own', () => {
    const jobs = `jobs: [{ name: a, table: p.t }, { name: b, table: p.t, database_url: "postgres://other/x" }, { name: c, table: p.u, database_url: "postgres://other/x", janitor_database_url: "postgres://j@other/x" }]`;
    expect(connections(`${jobs}\n${requeue}`, { JANITOR_DATABASE_URL: janitor })).toEqual([
      janitor,
      undefined,
      'postgres://j@other/x',
    ]);
  });

  test('that is wanted but has no connection is warned of at start', () => {
    expect(said(requeue)).toEqual([
      'rules[0].on_stuck is requeue, but the janitor has no connection: set JANITOR_DATABASE_URL or jobs[].janitor_database_url. Until then stuck jobs are only told.',
    ]);
    expect(said(requeue, { JANITOR_DATABASE_URL: janitor })).toEqual([]);
  });

  test('whose connection nobody uses is warned of', () => {
    expect(said('jobs: [{ name: a, table: p.t, janitor_database_url: "postgres://j@db/x" }]')).toEqual([
      'jobs[0].janitor_database_url is set, but no rule says on_stuck, so the janitor does nothing.',
    ]);
  });

  test('does not start with a wrong address, and does not show its password', () => {
    expect(problemsOfText(requeue, { JANITOR_DATABASE_URL: 'mysql://u:geheim@h/d' })).toEqual([
      'JANITOR_DATABASE_URL: must be a URL beginning with postgres:// or postgresql://; got mysql://u:***@h/d',
    ]);
  });
});
