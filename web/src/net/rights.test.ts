import { expect, it } from 'vitest';
import { may, mayRemove } from './rights.ts';

it('cmd4_is_offered_to_those_who_may', () => {
  const roles = [null, 'member', 'moderator', 'owner'] as const;
  const who = (allowed: (role: (typeof roles)[number]) => boolean) => roles.filter(allowed);
  expect(who((role) => may(role, 'speak'))).toEqual(['member', 'moderator', 'owner']);
  expect(who((role) => may(role, 'pin'))).toEqual(['moderator', 'owner']);
  expect(who((role) => may(role, 'deleteOthers'))).toEqual(['moderator', 'owner']);
  expect(who((role) => may(role, 'setRole'))).toEqual(['owner']);
  expect(who((role) => mayRemove(role, 'member'))).toEqual(['moderator', 'owner']);
  expect(who((role) => mayRemove(role, null))).toEqual(['moderator', 'owner']);
  expect(who((role) => mayRemove(role, 'moderator'))).toEqual(['owner']);
  expect(who((role) => mayRemove(role, 'owner'))).toEqual(['owner']);
});
