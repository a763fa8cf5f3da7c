import { counting } from '../../i18n/plural.ts';

const count = counting('en');

export const composer = {
  writeTo: (title: string) => `Write to ${title}`,
  reply: 'Reply',
  replyInThread: 'Reply in thread',
  message: 'Message',
  placeholder: (title: string) => `Message ${title}`,
  send: 'Send',
  emoji: 'Emoji',
  formatting: 'Formatting',
  formats: {
    bold: 'Bold',
    italic: 'Italics',
    strike: 'Struck through',
    code: 'Code',
    link: 'Link',
    list: 'List',
    quote: 'Quote',
    spoiler: 'Spoiler',
  },
  replyingTo: (name: string) => `Replying to ${name}:`,
  yourself: 'yourself',
  replyGone: 'Message deleted',
  noReply: 'Don’t reply to it',
  suggested: 'Suggestions',
  suggestions: (n: number) => count(n, { one: 'suggestion', other: 'suggestions' }),
  everybody: 'Everybody in this room',
  charactersLeft: (n: number) => count(n, { one: 'character left', other: 'characters left' }),
  charactersTooMany: (n: number) => count(n, { one: 'character too many', other: 'characters too many' }),
};
