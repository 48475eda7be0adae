import { expect, test } from 'vitest';
import { readHeaders } from './outbox-mail.ts';

test('joins folded header lines and stops at the body', () => {
  const headers = readHeaders('References: <a@x>\r\n\t<b@x>\r\nMessage-ID: <c@x>\r\n\r\nMessage-ID: <body@x>\r\n');
  expect([...headers]).toEqual([
    ['references', '<a@x> <b@x>'],
    ['message-id', '<c@x>'],
  ]);
});
