/** A popup in words. */
import type { NotifySettings } from '../../device/notify.ts';
import { plain } from '../../features/message/text/plain.ts';
import { hashOf, hashOfKey, linkTo } from '../../hooks/route.ts';
import type { Catalogue } from '../../i18n/en.ts';
import { isolate, oneLine } from '../../kit/bidi.ts';
import { nameOf } from '../../kit/people.ts';
import type { MessageFrame } from '../../net/frames.ts';
import { type Conversation, keyOf, type State } from '../../store/state.ts';
import type { Popup } from './popups.ts';

type Telling = Pick<Popup, 'title' | 'body' | 'hash'>;

/** Browsers show less of it. */
const MAX_BODY = 160;

export function tellingOf(
  conversation: Conversation,
  { seq, sender, text, thread }: MessageFrame,
  { names, me }: Pick<State, 'names' | 'me'>,
  { preview }: Pick<NotifySettings, 'preview'>,
  { app, common }: Pick<Catalogue, 'app' | 'common'>,
): Telling {
  const who = nameOf(sender, names, common.people);
  const { room, id } = conversation;
  return {
    title: room === null ? oneLine(who) : app.notify.title(isolate(who), isolate(room.name)),
    body: preview ? shortened(plain(text)) : app.notify.newMessage,
    hash: thread === null ? hashOfKey(keyOf(conversation), me) : linkTo(id, seq, thread),
  };
}

/** All of them in one. */
export function summaryOf(messages: number, conversations: number, { app }: Pick<Catalogue, 'app'>): Telling {
  const { notify } = app;
  return {
    title: 'Natter',
    body: notify.summary(notify.messages(messages), notify.conversations(conversations)),
    hash: hashOf({ page: 'list' }),
  };
}

function shortened(text: string): string {
  const chars = [...text];
  return chars.length <= MAX_BODY ? text : `${chars.slice(0, MAX_BODY).join('')}…`;
}
