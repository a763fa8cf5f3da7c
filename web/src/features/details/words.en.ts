export const details = {
  title: 'Details',
  since: (day: string) => `Made on ${day}`,
  noTopic: 'This room has no topic.',
  name: 'Name',
  topic: 'Topic',
  topicHint: 'what it is for, in a line or two',
  whoFindsIt: 'Who finds it',
  becomesPublic: 'From then on anybody can join, and read what is said from then on.',
  becomesPrivate: 'From then on only those who are added see it. Who is in it stays.',
  save: 'Save',
  archive: 'Archive this room',
  archiveTitle: (name: string) => `Archive ${name}?`,
  archiveMeans:
    'It stays to be read, but nothing more is said in it and nobody joins, until an owner opens it again.',
  archiveDeed: 'Archive',
  open: 'Open this room again',
  people: 'People in it',
};
