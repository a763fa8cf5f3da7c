/** The people who stand beside the conversation: whose presence is followed for as long, and the one who is looked at. */
import type { State } from './state.ts';

/** Somebody whose card is on the screen. Their name and whether they are there stand where everybody's do. */
export interface Card {
  handle: string;
  status: 'loading' | 'there' | 'nobody' | 'failed';
}

export type BesideChange =
  | { type: 'beside'; people: readonly string[] }
  | { type: 'card'; card: Card | null }
  /** These are followed now, and nobody else. */
  | { type: 'followed'; people: readonly string[] };

export const besideChanges = {
  beside: (state: State, { people }: Of<'beside'>): State => ({ ...state, beside: people }),
  card: (state: State, { card }: Of<'card'>): State => ({ ...state, card }),
  /** What is not followed gets old. */
  followed: (state: State, { people }: Of<'followed'>): State => {
    const still = new Set(people);
    const presence = new Map([...state.presence].filter(([user]) => still.has(user)));
    return presence.size === state.presence.size ? state : { ...state, presence };
  },
};

type Of<T extends BesideChange['type']> = Extract<BesideChange, { type: T }>;
