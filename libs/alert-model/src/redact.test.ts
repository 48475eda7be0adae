import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { literalSecretCharsMin, redact, redactCharsMax } from './redact.ts';

/** Repeats to a length; secrets are put together at run time, so that no scanner finds one in the repository. */
const chars = (alphabet: string, length: number): string =>
  alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
const alnum = (length: number): string => chars('a9Bz7Qx2Lm4Kw8', length);
const upper = (length: number): string => chars('Q7ZK2MXB4T', length);

/** What must not survive, and the text that carries it. */
const corpus: readonly (readonly [caption: string, secret: string, text: string])[] = (() => {
  const plain = 'hunter2-' + alnum(9);
  const own = (secret: string): readonly [string, string] => [secret, secret];
  const pem = `${'-----BEGIN RSA'} ${'PRIVATE KEY-----'}\n${alnum(64)}\n${alnum(40)}\n${'-----END RSA'} ${'PRIVATE KEY-----'}`;
  const jwt = ['eyJ' + alnum(20), 'eyJ' + alnum(40), alnum(43)].join('.');
  return [
    ['an AWS access key id', ...own('AK' + 'IA' + upper(16))],
    ['a temporary AWS key id', ...own('AS' + 'IA' + upper(16))],
    ['an AWS secret key', plain, `AWS_SECRET_ACCESS_KEY=${plain}`],
    ['a GitHub token', ...own('gh' + 'p_' + alnum(36))],
    ['a fine-grained GitHub token', ...own('github' + '_pat_' + alnum(40))],
    ['a GitLab token', ...own('gl' + 'pat-' + alnum(20))],
    ['a Slack bot token', ...own('xo' + 'xb-' + '123456789012-' + alnum(24))],
    ['a Slack app token', ...own('xa' + 'pp-1-' + alnum(30))],
    ['a Slack webhook', 'T012/B345/' + alnum(24), `https://hooks.slack.com/services/T012/B345/${alnum(24)}`],
    ['a SendGrid key', ...own('S' + 'G.' + alnum(22) + '.' + alnum(43))],
    ['a Stripe live key', ...own('sk_' + 'live_' + alnum(24))],
    ['a Stripe restricted key', ...own('rk_' + 'test_' + alnum(24))],
    ['a webhook signing secret', ...own('wh' + 'sec_' + alnum(32))],
    ['an OpenAI-like key', ...own('sk-' + 'proj-' + alnum(40))],
    ['a Google API key', ...own('AI' + 'za' + alnum(35))],
    ['an npm token', ...own('np' + 'm_' + alnum(36))],
    ['a JSON Web Token', ...own(jwt)],
    ['a private key', alnum(64), pem],
    ['a private key that was cut off', alnum(64), pem.slice(0, 80)],
    ['a private key longer than any real one', alnum(64), `${pem.slice(0, 33)}${alnum(17_000)}`],
    ['the password of a URL', plain, `postgres://worker:${plain}@db.internal:5432/catalog`],
    ['a password with an @ in a URL', plain, `amqp://worker:p@${plain}@mq/`],
    ['a user name that is a token', plain, `https://${plain}@git.example/repo`],
    ['password=', plain, `password=${plain}`],
    ['a password in a query string', plain, `GET /login?user=a&password=${plain}&x=1`],
    ['a spaced assignment', plain, `Password : ${plain}`],
    ['a prefixed name', plain, `PGPASSWORD=${plain}`],
    ['a camel-case name', plain, `dbPassword=${plain}`],
    ['another camel-case name', plain, `accessToken: '${plain}'`],
    ['a Ruby hash', plain, `:api_key=>"${plain}"`],
    ['a JSON member', plain, JSON.stringify({ password: plain })],
    ['a JSON member with a quote in it', plain, JSON.stringify({ password: `x"${plain}` })],
    ['JSON inside JSON', plain, JSON.stringify({ body: JSON.stringify({ client_secret: plain, ok: true }) })],
    ['JSON inside JSON inside JSON', plain, JSON.stringify(JSON.stringify(JSON.stringify({ token: plain })))],
    ['a Python dict', plain, `{'secret': '${plain}', 'n': 1}`],
    ['an option with a space', plain, `mysqldump --password ${plain} catalog`],
    ['an option with =', plain, `curl --token=${plain}`],
    ['a quoted option', plain, `deploy --api-key "two words ${plain}"`],
    ['a bearer header', plain, `Authorization: Bearer ${plain}`],
    ['a basic header', alnum(24), `authorization: Basic ${alnum(24)}==`],
    ['a header of another scheme', plain, `Authorization: ApiKey ${plain}`],
    ['a header without a scheme', plain, `Proxy-Authorization=${plain}`],
    ['a header in JSON', plain, JSON.stringify({ headers: { authorization: `Bearer ${plain}` } })],
    ['bearer in prose', alnum(20), `the bearer ${alnum(20)} was refused`],
    ['a cookie', plain, `Cookie: theme=dark; session=${plain}`],
    ['a cookie that is set', plain, `Set-Cookie: sid=${plain}; HttpOnly`],
    ['an Azure account key', plain, `AccountName=x;AccountKey=${plain}==;`],
    ['an x-api-key header', plain, `x-api-key: ${plain}`],
  ];
})();

const surroundings: readonly (readonly [string, string])[] = [
  ['', ''],
  ['request failed: ', ' (attempt 3)'],
  ['first line\n', '\nlast line'],
  ['[', ']'],
  ['got "', '" from upstream'],
  ['x=1, ', ', y=2'],
];

describe('redact', () => {
  test.for(corpus)('removes %s, whatever stands around it', ([, secret, text]) => {
    for (const [before, after] of surroundings) {
      const redacted = redact(before + text + after);
      expect(redacted).not.toContain(secret);
      expect(redacted).toContain('[redacted]');
      expect(redact(redacted)).toBe(redacted);
    }
  });

  test('leaves no part of a secret of any text of the corpus, even when all of them stand in one text', () => {
    const redacted = redact(
      corpus
        .filter(([, , text]) => text.length < 1_000)
        .map(([, , text]) => text)
        .join('\n'),
    );
    for (const [, secret] of corpus) expect(redacted).not.toContain(secret);
  });

  test.for([
    'HTTP 503 from https://source.example/v1/songs?page=2',
    'max_tokens: 4096 exceeded by prompt_tokens: 5000',
    'KeyError: "title" in refresh_catalog/songs',
    'could not connect to db-17.prod.internal:5432 after 30.0 s',
    'duplicate key value violates unique constraint "songs_pkey"',
    'mail to someone@example.org bounced',
    'author: Bach, authority: none',
  ])('leaves an ordinary error as it is: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('replaces literal secrets of the installation, the longest first, and none that are too short', () => {
    const redacted = redact('a correct-horse and a correct-horse-battery and abc', [
      'correct-horse',
      'correct-horse-battery',
      'abc',
    ]);
    expect(redacted).toBe('a [redacted] and a [redacted] and abc');
    expect('abc'.length).toBeLessThan(literalSecretCharsMin);
  });

  test('is not confused by a literal that is part of the mask', () => {
    expect(redact('password=x redacted', ['redacted'])).toBe('password=[redacted] redacted');
  });

  test('is idempotent, and the text never outgrows its bound', () => {
    const word = fc.constantFrom(
      'password',
      '=',
      ': ',
      '"',
      "'",
      '\\',
      '[redacted]',
      '@',
      '://',
      'http',
      'bearer ',
      'cookie:',
      '--token ',
      '\n',
      ',',
      ']',
      '&',
      'eyJ',
      '.',
      '-',
    );
    const text = fc
      .array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: fc.string({ maxLength: 8 }) }), {
        maxLength: 40,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (value) => {
        const once = redact(value);
        expect(redact(once)).toBe(once);
        expect(once.length).toBeLessThanOrEqual(redactCharsMax);
      }),
      { numRuns: 2_000 },
    );
  });

  test('bounds the text even where masks are longer than what they replace', () => {
    expect(redact('pwd:x '.repeat(redactCharsMax / 6)).length).toBe(redactCharsMax);
  });

  test.for([
    'a',
    'a-',
    '_',
    '-',
    '=',
    ' ',
    '"',
    '\\"',
    '@',
    'password',
    'password=',
    'password="',
    'password="\\',
    'token: \\"',
    'token: \\\'x \\"',
    'api_',
    'a_a-',
    'eyJaaaaa',
    'eyJaaaaa.',
    'ab://',
    'ab://a:',
    'a.',
    'http://a@',
    'bearer ',
    'authorization: ',
    'cookie:',
    'cookie: a',
    'sk-',
    'SG.aaaaaaaaaa.',
    'xoxb-',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    '--',
    '--a',
    '--token ',
  ])('comes to an end soon on 20,000 characters made to slow patterns down: %s', (part) => {
    const hostile = part.repeat(Math.ceil(redactCharsMax / part.length));
    expect(redact(hostile).length).toBeLessThanOrEqual(redactCharsMax);
    expect(redact(`${hostile.slice(0, -1)}!`).length).toBeLessThanOrEqual(redactCharsMax);
  });
});
