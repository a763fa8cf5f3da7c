import { useKnown } from '../../../hooks/client.ts';
import { oneLine } from '../../../kit/bidi.ts';

interface MentionProps {
  text: string;
  /** Null if it is everybody in the room. */
  handle: string | null;
  /** Of whoever reads it. */
  mine: boolean;
  press?: (() => void) | undefined;
}

export function Mention({ text, handle, mine, press }: MentionProps) {
  const name = useKnown((state) => (handle === null ? undefined : state.names.get(handle)));
  const looks = {
    className: mine ? 'mention mention-me' : 'mention',
    title: name === undefined ? undefined : oneLine(name),
  };
  if (press === undefined) return <bdi {...looks}>{text}</bdi>;
  return (
    <button type="button" dir="auto" {...looks} onClick={press}>
      {text}
    </button>
  );
}
