import type { KeyboardEvent, ReactNode } from 'react';
import { showPerson } from '../../hooks/pane.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { toneOf } from '../../kit/people.ts';
import './message.css';

interface LineProps {
  seq?: number;
  handle: string;
  author: string;
  mine: boolean;
  /** It goes on from the line before, by the same person. */
  joined: boolean;
  className?: string;
  /** The one of all lines that Tab leads to. */
  active?: boolean;
  onKeyDown?(event: KeyboardEvent): void;
  time: ReactNode;
  /** How far it came. */
  mark: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** Who said it and when, what was said, and how far it came: the same for what is said and for what waits. */
export function Line(props: LineProps) {
  const { seq, handle, author, mine, joined, className = '', time, mark, actions, children } = props;
  const { people } = useWords();
  const { active = false, onKeyDown } = props;
  const show = () => handle !== '' && showPerson(handle);
  return (
    <li
      className={`line${mine ? ' mine' : ''}${joined ? ' joined' : ''} ${className}`}
      data-seq={seq}
      tabIndex={active ? 0 : -1}
      onKeyDown={onKeyDown}
    >
      <div className="line-side">
        {joined ? (
          time
        ) : (
          // For the eye and the finger; whoever goes by keyboard or by ear has the name beside it.
          <button type="button" className="author-face" tabIndex={-1} aria-hidden="true" onClick={show}>
            <Avatar handle={handle} name={author} />
          </button>
        )}
      </div>
      <div className="line-body">
        <div className={joined ? 'visually-hidden' : 'line-head'}>
          {joined || handle === '' ? (
            <bdi className={`author ink-${toneOf(handle)}`}>{author}</bdi>
          ) : (
            <button
              type="button"
              className={`author ink-${toneOf(handle)}`}
              title={people.profileOf(author)}
              onClick={show}
            >
              <bdi>{author}</bdi>
            </button>
          )}
          <span className="visually-hidden">: </span>
          {!joined && time}
        </div>
        {children}
      </div>
      <div className="line-end">{mark}</div>
      {actions}
    </li>
  );
}
