import { expect, it } from 'vitest';
import { addressOf } from './clicked.ts';

it('a_click_on_a_notification_leads_into_the_page_and_nowhere_else', () => {
  expect(addressOf({ hash: '#/@bob' })).toBe('/#/@bob');
  for (const data of [null, undefined, 7, {}, { hash: 7 }, { hash: '//elsewhere.example' }, { hash: '@bob' }])
    expect(addressOf(data)).toBe('/');
});
