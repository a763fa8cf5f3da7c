/** The directory of public rooms, as far as it was looked through: one question at a time, in pages. */
import type { Page, RoomItem } from '../net/frames.ts';
import type { Fault } from '../net/problem.ts';
import type { Reading, State } from './state.ts';

/** Whoever looks further finds by words. */
export const MAX_ROOMS_HELD = 1_000;

export interface Sought {
  words: string;
  archived: boolean;
}

export interface Directory extends Sought {
  /** Of the question as it is now; what was found before stays until there is an answer. */
  reading: Reading;
  rooms: readonly RoomItem[];
  next: string | null;
}

export type DirectoryChange =
  | { type: 'directory_asked'; sought: Sought }
  | { type: 'directory_page'; generation: number; sought: Sought; first: boolean; page: Page<RoomItem> }
  | { type: 'directory_failed'; generation: number; sought: Sought; fault: Fault }
  | { type: 'directory_closed' };

export const directoryChanges = {
  directory_asked: (state: State, { sought }: Of<'directory_asked'>): State => ({
    ...state,
    directory: {
      ...sought,
      reading: { status: 'loading' },
      rooms: state.directory?.rooms ?? [],
      next: null,
    },
  }),
  directory_page: (state: State, { sought, first, page }: Of<'directory_page'>): State =>
    changed(state, sought, (held) => {
      const rooms = [...(first ? [] : held.rooms), ...page.items];
      const next = rooms.length >= MAX_ROOMS_HELD ? null : page.next;
      return { ...held, reading: { status: 'done' }, rooms, next };
    }),
  directory_failed: (state: State, { sought, fault }: Of<'directory_failed'>): State =>
    changed(state, sought, (held) => ({ ...held, reading: { status: 'failed', fault } })),
  directory_closed: (state: State): State =>
    state.directory === null ? state : { ...state, directory: null },
};

type Of<T extends DirectoryChange['type']> = Extract<DirectoryChange, { type: T }>;

/** An answer to a question of before is no answer. */
function changed(state: State, { words, archived }: Sought, change: (held: Directory) => Directory): State {
  const { directory } = state;
  return directory?.words === words && directory.archived === archived
    ? { ...state, directory: change(directory) }
    : state;
}
