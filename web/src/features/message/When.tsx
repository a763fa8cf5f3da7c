import { useTold } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { clockTime, dayName, fullTime } from '../../kit/time.ts';

/** The day and the time at which something was said. */
export function When({ at }: { at: string }) {
  const { words, calendar } = useSpeech();
  const day = useTold((now) => dayName(at, now, calendar, words.common.time));
  return (
    <time dateTime={at} title={fullTime(at, calendar)}>
      {day}, {clockTime(at, calendar)}
    </time>
  );
}
