/** What can be done to a message: the menu and the keyboard read the same list. */
import type { ReactNode } from 'react';
import type { Catalogue } from '../../i18n/en.ts';
import { LinkIcon, PencilIcon, PinIcon, ReplyIcon, ThreadIcon, TrashIcon } from '../../kit/icons.tsx';
import type { Message } from '../../store/state.ts';
import type { MessageDeeds } from './deeds.ts';
import { MESSAGE_KEYS } from './keys.ts';

export interface MessageAction {
  id: string;
  name: string;
  icon: ReactNode;
  /** A key that does it while the message has the focus. */
  key?: string;
  dangerous?: boolean;
  run(): void;
}

export interface Standing {
  /** Said by this person. */
  mine: boolean;
}

export function actionsOn(
  said: Message,
  { mine }: Standing,
  deeds: MessageDeeds,
  { message: words, common }: Pick<Catalogue, 'message' | 'common'>,
): MessageAction[] {
  const { seq, pinned } = said;
  const actions: MessageAction[] = [
    {
      id: 'reply',
      name: words.reply,
      icon: <ReplyIcon />,
      key: MESSAGE_KEYS.reply,
      run: () => deeds.reply(seq),
    },
    {
      id: 'link',
      name: common.copyLink,
      icon: <LinkIcon />,
      key: MESSAGE_KEYS.link,
      run: () => deeds.copyLink(seq),
    },
  ];
  const { may } = deeds;
  if (may.thread) {
    const thread = {
      id: 'thread',
      name: words.replyInThread,
      icon: <ThreadIcon />,
      key: MESSAGE_KEYS.thread,
    };
    actions.push({ ...thread, run: () => deeds.thread(seq) });
  }
  if (mine) {
    actions.push({
      ...{ id: 'edit', name: words.edit, icon: <PencilIcon />, key: MESSAGE_KEYS.edit },
      run: () => deeds.edit(said),
    });
  }
  if (may.pin) {
    const pin = {
      id: 'pin',
      name: pinned ? words.unpin : words.pin,
      icon: <PinIcon />,
      key: MESSAGE_KEYS.pin,
    };
    actions.push({ ...pin, run: () => deeds.pin(seq, pinned ? 'remove' : 'add') });
  }
  if (mine || may.deleteOthers) {
    actions.push({
      ...{ id: 'delete', name: words.delete, icon: <TrashIcon />, key: MESSAGE_KEYS.delete, dangerous: true },
      run: () => deeds.askToDelete(seq),
    });
  }
  return actions;
}
