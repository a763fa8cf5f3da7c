/** The keys that do something to a message while it has the focus, each by the name of what it does. */
export const MESSAGE_KEYS = {
  reply: 'r',
  edit: 'e',
  thread: 't',
  pin: 'p',
  link: 'l',
  delete: 'Delete',
} as const;
