import { expect, it } from 'vitest';
import { hashHere } from './links.ts';

it('only_addresses_of_this_natter_open_here', () => {
  const origin = 'https://natter.example';
  const id = '01a0c450-77a4-7000-8000-000000000003';
  expect(hashHere(`${origin}/#/room/${id}`, origin)).toBe(`#/room/${id}`);
  expect(hashHere(`${origin}/#/c/${id}/7`, origin)).toBe(`#/c/${id}/7`);
  expect(hashHere(`${origin}/c/${id}/7`, origin)).toBe(`#/c/${id}/7`);
  for (const other of [
    `${origin}/`,
    `${origin}/#`,
    `${origin}/auth/logout`,
    `${origin}/?x=1#/room/${id}`,
    `http://natter.example/#/room/${id}`,
    `https://natter.example.evil.example/#/room/${id}`,
    `https://natter.example@evil.example/#/room/${id}`,
    'mailto:a@natter.example',
  ])
    expect(hashHere(other, origin), other).toBeNull();
});
