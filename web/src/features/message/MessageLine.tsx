import { type KeyboardEvent, memo } from 'react';
import { arePressed, isMac } from '../../app/keys/keys.ts';
import { showPerson } from '../../hooks/pane.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { PinIcon } from '../../kit/icons.tsx';
import { clockTime, fullTime } from '../../kit/time.ts';
import type { ReplyItem } from '../../net/frames.ts';
import type { ChangeEntry } from '../../outbox/queue.ts';
import type { Receipt } from '../../store/conversation.ts';
import type { Message } from '../../store/state.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { Answered } from './Answered.tsx';
import { actionsOn } from './actions.tsx';
import type { MessageDeeds } from './deeds.ts';
import { EditForm } from './EditForm.tsx';
import { Line } from './Line.tsx';
import { ReceiptMark, WaitingMark } from './Marks.tsx';
import { MessageActions } from './MessageActions.tsx';
import { Reactions } from './Reactions.tsx';
import { RepliesLine } from './RepliesLine.tsx';
import { Text } from './text/Text.tsx';

interface MessageLineProps {
  message: Message;
  /** What it answers, where that is known. */
  reply: ReplyItem | null;
  changes: readonly ChangeEntry[];
  /** How the sender is called. */
  author: string;
  mine: boolean;
  joined: boolean;
  forMe: boolean;
  receipt: Receipt | null;
  editing: boolean;
  /** Nothing more can be done to it. */
  settled: boolean;
  /** The keyboard is here. */
  active?: boolean;
  /** Somebody just went to it. */
  lit?: boolean;
  deeds: MessageDeeds;
}

export const MessageLine = memo(function MessageLine(props: MessageLineProps) {
  const { message, reply, changes, author, mine, joined, forMe, receipt, editing, settled, deeds } = props;
  const { active = false, lit = false } = props;
  const { words, calendar } = useSpeech();
  const { message: said } = words;
  const { seq, text, deleted, editedAt, reactions, replyTo, replies, mentions, mentionsRoom, pinned } =
    message;
  const under = changes.find(({ kind, status }) => kind !== 'react' && status !== 'failed');
  const mark =
    under !== undefined ? (
      <WaitingMark status={under.status} />
    ) : (
      receipt !== null && <ReceiptMark receipt={receipt} />
    );
  const quiet = deleted || editing || settled;
  const actions = actionsOn(message, { mine }, deeds, words);
  const keyDown = (event: KeyboardEvent) => {
    // Keys that are pressed in a field or on a button of it are not meant for the message.
    if (quiet || event.target !== event.currentTarget) return;
    const action = actions.find(({ key }) => key !== undefined && arePressed({ key }, event, isMac()));
    if (action === undefined) return;
    event.preventDefault();
    action.run();
  };
  return (
    <Line
      seq={seq}
      handle={message.sender}
      author={author}
      mine={mine}
      joined={joined}
      className={`${forMe ? 'for-me' : ''}${lit ? ' lit' : ''}`}
      active={active}
      onKeyDown={keyDown}
      time={
        <time dateTime={message.at} title={fullTime(message.at, calendar)}>
          {clockTime(message.at, calendar)}
        </time>
      }
      mark={mark}
      actions={
        !quiet && (
          <MessageActions
            author={author}
            mine={mine}
            actions={actions}
            react={(emoji) => deeds.react(seq, emoji, 'add')}
          />
        )
      }
    >
      {forMe && <span className="visually-hidden">{said.mentionsYou} </span>}
      {pinned && (
        <p className="pinned">
          <PinIcon /> {said.pinned}
        </p>
      )}
      {replyTo !== null && <Answered reply={reply} goTo={deeds.goTo} />}
      {deleted ? (
        <p className="text gone">{said.deleted}</p>
      ) : editing ? (
        <EditForm
          text={text}
          draft={deeds.editOf(seq)}
          field={deeds.editField}
          save={(next) => deeds.save(seq, next)}
          close={() => deeds.closeEdit(seq)}
        />
      ) : (
        <Text text={text} mentions={mentions} mentionsRoom={mentionsRoom} onPerson={showPerson} />
      )}
      {editedAt !== null && (
        <button
          type="button"
          className="edited"
          aria-label={said.showVersions}
          title={fullTime(editedAt, calendar)}
          onClick={() => deeds.showVersions(seq)}
        >
          {said.edited}
        </button>
      )}
      <Reactions
        reactions={reactions}
        toggle={(emoji, there) => deeds.react(seq, emoji, there ? 'remove' : 'add')}
      />
      {replies !== null && <RepliesLine replies={replies} open={() => deeds.thread(seq)} />}
      {changes.map((entry) => entry.status === 'failed' && <EntryFault key={entry.id} entry={entry} />)}
    </Line>
  );
});
