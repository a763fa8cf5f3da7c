import { type FormEvent, useCallback, useRef, useState } from 'react';
import { useTold } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { CalendarIcon } from '../../kit/icons.tsx';
import { Popover } from '../../kit/Popover.tsx';
import { dayName, dayOf } from '../../kit/time.ts';
import { beginningOf } from './dates.ts';

/** As far down as the button reaches. */
const REACH_PX = 56;

interface DayButtonProps {
  /** When the first message in sight was said. */
  at: string | null;
  shown: boolean;
  goToDate(at: string | null): void;
}

/** The day of what is in sight, over it; behind it the ways to other days. */
export function DayButton({ at, shown, goToDate }: DayButtonProps) {
  const { words, calendar } = useSpeech();
  const { common, timeline } = words;
  const name = useTold((now) => (at === null ? '' : dayName(at, now, calendar, common.time)));
  const today = useTold((now) => dayOf(new Date(now).toISOString(), calendar));
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const close = useCallback(() => setOpen(false), []);
  if (at === null) return null;
  const then = (to: string | null) => {
    close();
    goToDate(to);
  };
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const day = new FormData(event.currentTarget).get('day');
    const begins = typeof day === 'string' ? beginningOf(day) : null;
    if (begins !== null) then(begins);
  };
  return (
    <div className={shown || open ? 'floating-day' : 'floating-day away'}>
      <button
        ref={opener}
        type="button"
        className="button small"
        aria-label={timeline.jumpFrom(name)}
        title={timeline.jump}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <CalendarIcon /> {name}
      </button>
      {open && (
        <Popover anchor={opener} name={timeline.jump} close={close}>
          <form className="jump" onSubmit={choose}>
            <label className="field">
              <span>{timeline.date}</span>
              <input type="date" name="day" required max={today} defaultValue={dayOf(at, calendar)} />
            </label>
            <button type="submit" className="button small primary">
              {timeline.show}
            </button>
          </form>
          <button type="button" className="menu-item" onClick={() => then(beginningOf(today))}>
            {common.time.today}
          </button>
          <button type="button" className="menu-item" onClick={() => then(null)}>
            {timeline.firstMessage}
          </button>
        </Popover>
      )}
    </div>
  );
}

/** Whether a day's own line, or that of what is new, stands where the button would be: that one says it then. */
export function wouldCover(frame: HTMLElement): boolean {
  const { top } = frame.getBoundingClientRect();
  return [...frame.querySelectorAll('.day, .new-line')].some((line) => {
    const at = line.getBoundingClientRect();
    return at.bottom > top && at.top < top + REACH_PX;
  });
}
