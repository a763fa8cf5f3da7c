/** The rules of folding, as told in the golden cases that every reader of Natter passes. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeFrames, type MessageItem, NO_PREFERENCES, type ServerFrame } from '../net/frames.ts';
import { messageItem } from '../net/wire/decode/messages.ts';
import { list, record } from '../net/wire/read.ts';
import { type Change, fold } from './fold.ts';
import { directKey, initialState, type State } from './state.ts';
import { newestOf } from './timeline.ts';

const FOLDER = new URL('../../../protocol/golden/folding/', import.meta.url);
const PEOPLE = ['ada', 'bob', 'cy'];

interface Case {
  rule: string;
  frames: ServerFrame[];
  messages: MessageItem[];
  read: Record<string, number>;
}

function caseIn(file: string): Case {
  const from = record(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')), file);
  return {
    rule: String(from.rule),
    frames: list((frame) => JSON.stringify(frame))(from.frames, 'frames').flatMap(decodeFrames),
    messages: list(messageItem)(from.messages, 'messages'),
    read: record(from.read, 'read') as Record<string, number>,
  };
}

const reset: Change = { type: 'frame', frame: { type: 'reset', reason: 'fresh', position: 'p0' }, now: 0 };
const folded = (changes: readonly Change[]): State => changes.reduce(fold, initialState('ada'));
const live = (frames: readonly ServerFrame[]): Change[] =>
  frames.map((frame) => ({ type: 'frame', frame, now: 0 }));

function shown(state: State): { messages: MessageItem[]; read: Record<string, number> } {
  const [held] = state.conversations.values();
  const timeline = held && state.timelines.get(held.id);
  const told = (timeline && newestOf(timeline)?.messages) ?? [];
  // What is shown of a message that is answered follows from that one, and is not in the cases.
  const messages = told.map((message) => ({
    ...{ ...message, conversation: held?.id, thread: null, reply: null },
    replies: message.replies && { count: message.replies.count, lastAt: message.replies.lastAt },
  }));
  return { messages: messages as MessageItem[], read: Object.fromEntries(held?.read ?? []) };
}

/** The list and the messages as history shows them after these frames. */
function pagesAfter(frames: readonly ServerFrame[]): Change[] {
  const { messages, read } = shown(folded([reset, ...live(frames)]));
  const last = messages.at(-1);
  if (last === undefined) return [];
  const markers = Object.entries(read).map(([user, upto]) => ({ user, read: upto, delivered: 0 }));
  const row = {
    conversation: last.conversation,
    kind: 'direct',
    participants: PEOPLE,
    lastMessage: last,
    unread: 0,
    mentions: 0,
    read: read.ada ?? 0,
    markers,
    lastActivity: last.at,
    preferences: NO_PREFERENCES,
    room: null,
  };
  const list = { items: [row], next: null, position: 'p' };
  const page = { items: messages, next: null, position: 'p' };
  return [
    { type: 'list_page', generation: 1, page: list },
    {
      type: 'messages_page',
      generation: 1,
      key: directKey(PEOPLE),
      participants: PEOPLE,
      thread: null,
      place: { at: 'newest' },
      page,
    },
  ];
}

describe('evt1_golden_cases_of_folding', () => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

  it('are_there', () => {
    expect(files.length).toBeGreaterThanOrEqual(12);
  });

  describe.each(files)('%s', (file) => {
    const { rule, frames, messages, read } = caseIn(file);

    it('its frames alone', () => {
      expect(shown(folded([reset, ...live(frames)])), rule).toEqual({ messages, read });
    });

    it('con5 a session that begins anywhere, with pages of any moment after that, in at any moment', () => {
      for (let begin = 0; begin <= frames.length; begin += 1) {
        const told = frames.slice(begin);
        for (let cut = begin; cut <= frames.length; cut += 1) {
          const pages = pagesAfter(frames.slice(0, cut));
          // Without a message there is no page: who is told of the conversation later is told by the message.
          if (pages.length === 0) continue;
          for (let arrival = 0; arrival <= told.length; arrival += 1) {
            const changes = [reset, ...live(told.slice(0, arrival)), ...pages, ...live(told.slice(arrival))];
            const where = `${rule} Begun after ${begin}, pages of ${cut}, in after ${begin + arrival}.`;
            expect(shown(folded(changes)), where).toEqual({ messages, read });
          }
        }
      }
    });
  });
});
