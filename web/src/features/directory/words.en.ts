import { counting } from '../../i18n/plural.ts';

const count = counting('en');

export const directory = {
  title: 'Rooms',
  intro: 'A room is a place for a topic or a team. Everybody finds the public ones here and can join them.',
  nameOrTopic: 'Name or topic',
  archivedOnes: 'Archived rooms',
  newRoom: 'New room',
  members: (n: number) => count(n, { one: 'member', other: 'members' }),
  archived: 'Archived',
  youAreIn: 'You are in it',
  join: 'Join',
  joining: 'Joining…',
  open: 'Open',
  deedOn: (deed: string, name: string) => `${deed} ${name}`,
  more: 'More rooms',
  found: (n: number, more: boolean) =>
    more
      ? `The first ${count(n, { one: 'room', other: 'rooms' })}`
      : count(n, { one: 'room', other: 'rooms' }),
  none: 'There are no public rooms yet.',
  noneMeans: 'Make the first one: give it a name, say what it is for, and others will find it here.',
  noneArchived: 'No public room is archived.',
  noneCalled: (words: string) => `No public room is called “${words}”.`,
};
