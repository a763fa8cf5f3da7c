export const threads = {
  title: 'Threads',
  thread: 'Thread',
  root: 'What it is about',
  replies: 'Replies',
  loading: 'Loading…',
  none: 'No threads yet. To begin one, choose “Reply in thread” at a message.',
  more: 'Older threads',
  nothingYet: 'No replies yet.',
  notSent: 'Not sent',
  blocked: 'You have blocked this person, so you can’t write here.',
  rootDeleted: 'The message that this was about is deleted. Nothing more can be said here.',
};
