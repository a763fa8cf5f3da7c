import { memo } from 'react';
import type { Entry } from '../outbox/queue.ts';
import type { Receipt } from '../store/conversation.ts';
import type { Message } from '../store/state.ts';
import { clockTime, hereAndNow, toneOf } from './format.ts';
import { useClient } from './hooks.ts';
import { ClockIcon, TickIcon, TwoTicksIcon, WarningIcon } from './icons.tsx';

interface MessageLineProps {
  message: Message;
  author: string;
  mine: boolean;
  joined: boolean;
  receipt: Receipt | null;
  /** Whether more than one other person can have written it. */
  named: boolean;
}

export const MessageLine = memo(function MessageLine({
  message,
  author,
  mine,
  joined,
  receipt,
  named,
}: MessageLineProps) {
  return (
    <li className={lineClass(mine, joined)} data-seq={message.seq}>
      <div className="bubble">
        {mine ? (
          <span className="visually-hidden">You: </span>
        ) : (
          <span className={named && !joined ? `author ink-${toneOf(message.sender)}` : 'visually-hidden'}>
            {author}
            <span className="visually-hidden">: </span>
          </span>
        )}
        <p className="text" dir="auto">
          {message.text}
        </p>
        <span className="meta">
          <time dateTime={message.at}>{clockTime(message.at, hereAndNow)}</time>
          {receipt !== null && <ReceiptMark receipt={receipt} />}
        </span>
      </div>
    </li>
  );
});

export const WaitingLine = memo(function WaitingLine({ entry, joined }: { entry: Entry; joined: boolean }) {
  const { outbox } = useClient();
  const failed = entry.status === 'failed';
  return (
    <li className={`${lineClass(true, joined)}${entry.status === 'sending' ? '' : ` ${entry.status}`}`}>
      <div className="bubble">
        <span className="visually-hidden">You: </span>
        <p className="text" dir="auto">
          {entry.kind === 'send' ? entry.text : null}
        </p>
        <span className="meta">
          <time dateTime={new Date(entry.composedAt).toISOString()}>
            {clockTime(new Date(entry.composedAt).toISOString(), hereAndNow)}
          </time>
          {failed ? (
            <Mark name="Not sent" className="mark-failed" icon={<WarningIcon />} />
          ) : entry.status === 'sending' ? (
            <Mark name="Sending" icon={<ClockIcon />} />
          ) : (
            <Mark name="Waiting to be sent" icon={<ClockIcon />} />
          )}
        </span>
      </div>
      {failed && (
        <p className="fault" role="alert">
          <span>Not sent: {entry.fault?.message || 'the server refused it.'}</span>
          <button type="button" className="link" onClick={() => outbox.retry(entry.id)}>
            Retry
          </button>
          <button type="button" className="link" onClick={() => outbox.discard(entry.id)}>
            Discard
          </button>
        </p>
      )}
    </li>
  );
});

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
