import { describe, expect, test } from 'vitest';
import { stringsOf } from '../channel.contract.ts';
import { sampleForms, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';
import { renderSlack, renderSlackText } from './render-slack.ts';
import { charactersOf, escapedWithin } from './slack-blocks.ts';

const options = { acknowledgeable: true, deliveryId: '8d7f3c52-11aa-5b6e-8f00-5a1b2c3d4e5f', inThread: false };
const formOf = (title: string): Parameters<typeof renderSlack>[0] => {
  const found = sampleForms().find(([each]) => each === title);
  if (found === undefined) throw new Error(title);
  return found[1].message;
};
const buttonsOf = (blocks: readonly unknown[]): readonly string[] =>
  blocks.flatMap((block) => {
    const { type, elements } = block as { type: string; elements: { text: { text: string } }[] };
    return type === 'actions' ? elements.map(({ text }) => text.text) : [];
  });

describe('a message in Slack', () => {
  test('says the same words as the mail, as plain and rich text', () => {
    const { message } = sampleOutgoing({
      items: [
        sampleItem({
          adminUrl: 'https://admin.example.com/jobs?a=1&b=2',
          causes: [{ signature: 'x', error: 'a < b && c\n  at line 3', count: 1, jobs: [], moreJobs: 0 }],
        }),
      ],
    });
    const { text, blocks } = renderSlack(message, { ...options, acknowledgeable: false });
    expect(text).toBe('[Tocsin] apple/refresh_catalog/songs failed: songs failed after 3 attempts');
    // Literal, as rich text is: entities would be shown.
    expect(JSON.stringify(blocks)).toContain(
      '"type":"rich_text_preformatted","elements":[{"type":"text","text":"a < b && c\\n  at line 3"}]',
    );
    expect(JSON.stringify(blocks)).toContain(
      '{"type":"link","url":"https://admin.example.com/jobs?a=1&b=2","text":"Admin page"}',
    );
    expect(buttonsOf(blocks)).toEqual([]);
  });

  test('has a button for what waits for somebody, and links beside it', () => {
    const links = { adminUrl: 'https://admin.example.com/songs', tocsinUrl: 'https://tocsin.example.com/alerts/1' };
    const one = sampleOutgoing({ items: [sampleItem(links)] }).message;
    expect(buttonsOf(renderSlack(one, options).blocks)).toEqual(['Acknowledge', 'Open in Tocsin', 'Admin page']);
    const many = sampleOutgoing({ items: [sampleItem(links), sampleItem(links), sampleItem({ alerts: 3 })] }).message;
    const { blocks } = renderSlack(many, options);
    expect(buttonsOf(blocks)).toEqual(['Acknowledge all']);
    expect(stringsOf(blocks).filter((each) => each === links.adminUrl)).toHaveLength(2);
  });

  test.each(['a recovery', 'a heartbeat with open alerts', 'a heartbeat with nothing open'])(
    'has no button to acknowledge %s',
    (title) => {
      expect(buttonsOf(renderSlack(formOf(title), options).blocks)).toEqual([]);
    },
  );

  test('has no button to acknowledge what somebody has, nor one that could not be found again', () => {
    const { message } = sampleOutgoing({ items: [sampleItem({ acknowledgedBy: 'ada' })] });
    expect(buttonsOf(renderSlack(message, options).blocks)).toEqual([]);
    expect(buttonsOf(renderSlack(sampleOutgoing().message, { ...options, deliveryId: 'x' }).blocks)).toEqual([]);
  });

  test('tells a storm by its sum: how many, of which types, from when to when', () => {
    const words = stringsOf(renderSlack(formOf('the one message of a storm'), options).blocks).join('\n');
    expect(words).toContain('5,000 jobs of 4 types failed');
    expect(words).toContain('First failure Mon 16 Nov, 03:00 UTC, last 03:02 UTC.');
    expect(words).toContain('apple/type_3');
    expect(words).toContain('1,250 ');
  });

  test('says in the heartbeat what is open, or that nothing is', () => {
    expect(stringsOf(renderSlack(formOf('a heartbeat with nothing open'), options).blocks).join('\n')).toContain(
      'Nothing open at Mon 16 Nov, 03:07 UTC',
    );
    expect(stringsOf(renderSlack(formOf('a heartbeat with open alerts'), options).blocks).join('\n')).toContain(
      '1 alert open at',
    );
  });

  test('has no header in a thread, where it stands above', () => {
    const { message } = sampleOutgoing({ followUp: true });
    expect(renderSlack(message, { ...options, inThread: true }).blocks.map(({ type }) => type)).not.toContain('header');
  });

  test.each([1, 5, 20, 100])(
    'keeps within every limit with %s items of endless text, and counts what it leaves out',
    (count) => {
      const long = 'x'.repeat(3_000);
      const items = Array.from({ length: count }, (_, n) =>
        sampleItem({
          alertId: `${n}`,
          title: `${n} ${long}`,
          adminUrl: `https://admin.example.com/${'a'.repeat(1_900)}`,
          causes: Array.from({ length: 5 }, () => ({ signature: 'x', error: long, count: 9, jobs: [], moreJobs: 9 })),
          moreCauses: 1,
        }),
      );
      const { text, blocks } = renderSlack(sampleOutgoing({ items, omittedAlerts: 3 }).message, options);
      expect(blocks.length).toBeLessThanOrEqual(50);
      expect(text.length + charactersOf(blocks)).toBeLessThanOrEqual(12_000);
      expect(stringsOf(blocks).join('\n')).toContain('not shown here');
    },
  );

  test('does not say the subject twice', () => {
    const { text, blocks } = renderSlack(formOf('a heartbeat with nothing open'), options);
    expect(text).toBe('[Tocsin] All quiet');
    expect(stringsOf(blocks).filter((each) => each.includes('All quiet'))).toHaveLength(1);
  });

  test('is the same each time', () => {
    const { message } = sampleOutgoing();
    expect(renderSlack(message, options)).toEqual(renderSlack(message, options));
  });

  test('fits into one text where blocks are not taken', () => {
    const items = Array.from({ length: 100 }, () => sampleItem({ title: '<&>'.repeat(300) }));
    const text = renderSlackText(sampleOutgoing({ items }).message);
    expect(text.length).toBeLessThanOrEqual(3_900);
    expect(text).not.toMatch(/[<>]/);
  });

  test.each([
    ['<&>', 13, '&lt;&amp;&gt;'],
    ['<&>', 12, '&lt;…'],
    ['&'.repeat(200), 150, `${'&amp;'.repeat(29)}…`],
    ['short', 150, 'short'],
  ])('never cuts an entity: %s in %s characters', (text, max, expected) => {
    expect(escapedWithin(text, max)).toBe(expected);
  });
});
