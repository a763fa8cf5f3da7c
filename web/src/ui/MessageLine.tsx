import { memo } from 'react';
import type { ReactionOp, ReplyItem } from '../net/frames.ts';
import type { AddOutcome } from '../outbox/outbox.ts';
import type { ChangeEntry, ConversationEntry, Entry } from '../outbox/queue.ts';
import type { Receipt } from '../store/conversation.ts';
import type { Message } from '../store/state.ts';
import { Answered } from './Answered.tsx';
import { EditForm } from './EditForm.tsx';
import { EntryFault } from './EntryFault.tsx';
import { clockTime, counted, hereAndNow, toneOf } from './format.ts';
import { useClient } from './hooks.ts';
import { ClockIcon, TickIcon, TwoTicksIcon, WarningIcon } from './icons.tsx';
import { MessageActions } from './MessageActions.tsx';
import { Reactions } from './Reactions.tsx';

/** What a person can do to messages; the same object for as long as the conversation is open. */
export interface MessageDeeds {
  react(seq: number, emoji: string, op: ReactionOp): void;
  /** Begins to edit. */
  edit(seq: number): void;
  save(seq: number, text: string): AddOutcome;
  closeEdit(): void;
  askToDelete(seq: number): void;
  showVersions(seq: number): void;
}

interface MessageLineProps {
  message: Message;
  reply: ReplyItem | null;
  changes: readonly ChangeEntry[];
  author: string;
  mine: boolean;
  joined: boolean;
  receipt: Receipt | null;
  /** Whether more than one other person can have written it. */
  named: boolean;
  names: ReadonlyMap<string, string>;
  editing: boolean;
  /** Nothing more can be done to it. */
  settled: boolean;
  deeds: MessageDeeds;
}

export const MessageLine = memo(function MessageLine({
  message,
  reply,
  changes,
  author,
  mine,
  joined,
  receipt,
  named,
  names,
  editing,
  settled,
  deeds,
}: MessageLineProps) {
  const { me } = useClient();
  const { seq, text, deleted, editedAt, reactions, replyTo, replies, mentions, mentionsRoom } = message;
  const forMe = !mine && (mentionsRoom || mentions.includes(me));
  const under = changes.find(({ kind, status }) => kind !== 'react' && status !== 'failed');
  return (
    <li className={lineClass(mine, joined)} data-seq={seq}>
      <div className="said">
        <div className={forMe ? 'bubble for-me' : 'bubble'}>
          {mine ? (
            <span className="visually-hidden">You: </span>
          ) : (
            <span className={named && !joined ? `author ink-${toneOf(message.sender)}` : 'visually-hidden'}>
              {author}
              <span className="visually-hidden">: </span>
            </span>
          )}
          {forMe && <span className="visually-hidden">(mentions you) </span>}
          {replyTo !== null && <Answered reply={reply} me={me} names={names} />}
          {editing && !deleted ? (
            <EditForm text={text} save={(next) => deeds.save(seq, next)} close={deeds.closeEdit} />
          ) : (
            <p className={deleted ? 'text gone' : 'text'} dir="auto">
              {deleted ? 'Message deleted' : text}
            </p>
          )}
          <span className="meta">
            {editedAt !== null && (
              <button
                type="button"
                className="edited"
                aria-label="Edited: show earlier versions"
                onClick={() => deeds.showVersions(seq)}
              >
                (edited)
              </button>
            )}
            <time dateTime={message.at}>{clockTime(message.at, hereAndNow)}</time>
            {under !== undefined ? (
              <WaitingMark status={under.status} />
            ) : (
              receipt !== null && <ReceiptMark receipt={receipt} />
            )}
          </span>
        </div>
        {!deleted && !editing && !settled && (
          <MessageActions
            author={author}
            mine={mine}
            react={(emoji) => deeds.react(seq, emoji, 'add')}
            edit={() => deeds.edit(seq)}
            remove={() => deeds.askToDelete(seq)}
          />
        )}
      </div>
      <Reactions
        reactions={reactions}
        me={me}
        names={names}
        toggle={(emoji, there) => deeds.react(seq, emoji, there ? 'remove' : 'add')}
      />
      {replies !== null && <p className="replies">{counted(replies.count, 'reply', 'replies')}</p>}
      {changes.map((entry) => entry.status === 'failed' && <EntryFault key={entry.id} entry={entry} />)}
    </li>
  );
});

export const WaitingLine = memo(function WaitingLine({
  entry,
  joined,
}: {
  entry: ConversationEntry;
  joined: boolean;
}) {
  if (entry.kind !== 'send') {
    return (
      <li className="line mine">
        <EntryFault entry={entry} />
      </li>
    );
  }
  const failed = entry.status === 'failed';
  return (
    <li className={`${lineClass(true, joined)}${entry.status === 'sending' ? '' : ` ${entry.status}`}`}>
      <div className="bubble">
        <span className="visually-hidden">You: </span>
        <p className="text" dir="auto">
          {entry.text}
        </p>
        <span className="meta">
          <time dateTime={new Date(entry.composedAt).toISOString()}>
            {clockTime(new Date(entry.composedAt).toISOString(), hereAndNow)}
          </time>
          <WaitingMark status={entry.status} />
        </span>
      </div>
      {failed && <EntryFault entry={entry} />}
    </li>
  );
});

function WaitingMark({ status }: { status: Entry['status'] }) {
  switch (status) {
    case 'failed':
      return <Mark name="Not sent" className="mark-failed" icon={<WarningIcon />} />;
    case 'sending':
      return <Mark name="Sending" icon={<ClockIcon />} />;
    case 'queued':
      return <Mark name="Waiting to be sent" icon={<ClockIcon />} />;
  }
}

function ReceiptMark({ receipt }: { receipt: Receipt }) {
  switch (receipt) {
    case 'sent':
      return <Mark name="Sent" icon={<TickIcon />} />;
    case 'delivered':
      return <Mark name="Delivered" icon={<TwoTicksIcon />} />;
    case 'read':
      return <Mark name="Read" className="mark-read" icon={<TwoTicksIcon />} />;
  }
}

function Mark({ name, className = '', icon }: { name: string; className?: string; icon: React.ReactNode }) {
  return (
    <span className={`mark ${className}`} role="img" aria-label={name} title={name}>
      {icon}
    </span>
  );
}

function lineClass(mine: boolean, joined: boolean): string {
  return `line${mine ? ' mine' : ''}${joined ? ' joined' : ''}`;
}
