/** The small signs that say how far a message came. */
import type { ReactNode } from 'react';
import { useWords } from '../../i18n/speech.tsx';
import { ClockIcon, TickIcon, TwoTicksIcon, WarningIcon } from '../../kit/icons.tsx';
import type { Entry } from '../../outbox/queue.ts';
import type { Receipt } from '../../store/conversation.ts';

export function WaitingMark({ status }: { status: Entry['status'] }) {
  const { states } = useWords().message;
  return status === 'failed' ? (
    <Mark name={states.failed} className="mark-failed" icon={<WarningIcon />} />
  ) : (
    <Mark name={states[status]} icon={<ClockIcon />} />
  );
}

export function ReceiptMark({ receipt }: { receipt: Receipt }) {
  const { receipts } = useWords().message;
  return (
    <Mark
      name={receipts[receipt]}
      className={receipt === 'read' ? 'mark-read' : ''}
      icon={receipt === 'sent' ? <TickIcon /> : <TwoTicksIcon />}
    />
  );
}

function Mark({ name, className = '', icon }: { name: string; className?: string; icon: ReactNode }) {
  return (
    <span className={`mark ${className}`} role="img" aria-label={name} title={name}>
      {icon}
    </span>
  );
}
