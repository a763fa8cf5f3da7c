/** Messages in lists of their own, read in pages: the threads of a conversation, what is pinned in it, what a search found. */
import type { MessageItem, PinItem } from '../net/frames.ts';
import type { Recent } from './changes.ts';
import { asTheyAreNow } from './fold/timelines.ts';
import type { Message, Reading, State } from './state.ts';
import { withChangeOf } from './timeline.ts';

/** Whoever looks further asks for something narrower. */
export const MAX_LISTED = 1_000;

/** What is looked for; the same object for as long as it is asked. */
export type Question = { list: 'threads' | 'pins'; conversation: string } | SearchQuestion;

export interface SearchQuestion {
  list: 'search';
  /** Where it was asked. */
  conversation: string;
  everywhere: boolean;
  words: string;
  /** The handle of who said it; empty for anybody. */
  from: string;
  /** Only what was said before this moment (RFC 3339). */
  before: string | null;
}

export type ListName = Question['list'];

export interface Listed {
  conversation: string;
  /** The thread in which it was said. */
  thread: number | null;
  message: Message;
  /** Who pinned it and when, where that is what is listed. */
  pinned: Pick<PinItem, 'by' | 'at'> | null;
}

export interface Listing {
  question: Question;
  reading: Reading;
  items: readonly Listed[];
  next: string | null;
}

/** An item of a page of any of these. */
export interface ListedItem {
  message: MessageItem;
  pinned: Listed['pinned'];
}

export type ListingChange =
  | { type: 'listing_asked'; question: Question }
  | {
      type: 'listing_page';
      generation: number;
      question: Question;
      first: boolean;
      items: readonly ListedItem[];
      next: string | null;
    }
  | { type: 'listing_reading'; generation: number; question: Question; reading: Reading }
  | { type: 'listing_closed'; list: ListName };

export const listingChanges = {
  listing_asked: (state: State, { question }: Of<'listing_asked'>): State =>
    withListing(state, { question, reading: { status: 'loading' }, items: [], next: null }),
  listing_page: foldPage,
  listing_reading: (state: State, { question, reading }: Of<'listing_reading'>): State => {
    const held = state.listings.get(question.list);
    return held?.question === question ? withListing(state, { ...held, reading }) : state;
  },
  listing_closed: (state: State, { list }: Of<'listing_closed'>): State => {
    if (!state.listings.has(list)) return state;
    const listings = new Map(state.listings);
    listings.delete(list);
    return { ...state, listings };
  },
};

type Of<T extends ListingChange['type']> = Extract<ListingChange, { type: T }>;

/** Something was done to a message, which may be in any of them. */
export function withListedChange(state: State, { conversation, message, change }: Recent): State {
  return mapped(state, (listing) => {
    const items = listing.items.flatMap((item) => {
      if (item.conversation !== conversation) return [item];
      const next = withChangeOf(item.message, message, change);
      if (next === item.message) return [item];
      return belongs(listing.question, next) ? [{ ...item, message: next }] : [];
    });
    const same =
      items.length === listing.items.length && items.every((item, index) => item === listing.items[index]);
    return same ? listing : { ...listing, items };
  });
}

/** The room is nothing of this person's any more. */
export function withoutListed(listings: State['listings'], conversation: string): State['listings'] {
  const rest = [...listings].filter(
    ([, { question }]) => question.list === 'search' || question.conversation !== conversation,
  );
  return new Map(
    rest.map(([list, held]) => [
      list,
      { ...held, items: held.items.filter((item) => item.conversation !== conversation) },
    ]),
  );
}

/** After a reset: what is listed stays to be looked at until it is read again. */
export function asBefore(listings: State['listings']): State['listings'] {
  return new Map([...listings].map(([list, held]) => [list, { ...held, reading: { status: 'loading' } }]));
}

function foldPage(state: State, { question, first, items, next }: Of<'listing_page'>): State {
  const held = state.listings.get(question.list);
  if (held?.question !== question) return state;
  const fresh = items.flatMap(({ message: item, pinned }): Listed[] => {
    const { conversation, thread } = item;
    const [message] = asTheyAreNow(state, conversation, [item]).messages;
    return message !== undefined && belongs(question, message)
      ? [{ conversation, thread, message, pinned }]
      : [];
  });
  const seen = new Set(fresh.map(placeOf));
  const before = first ? [] : held.items.filter((item) => !seen.has(placeOf(item)));
  const all = [...before, ...fresh];
  return withListing(state, {
    ...held,
    items: all.slice(0, MAX_LISTED),
    next: all.length >= MAX_LISTED ? null : next,
  });
}

/** What is no longer said is found no more, and is pinned no more; a thread outlives what it began with. */
function belongs({ list }: Question, { deleted, pinned }: Message): boolean {
  switch (list) {
    case 'threads':
      return true;
    case 'pins':
      return pinned;
    case 'search':
      return !deleted;
  }
}

function placeOf({ conversation, message }: Listed): string {
  return `${conversation} ${message.seq}`;
}

function withListing(state: State, listing: Listing): State {
  return { ...state, listings: new Map(state.listings).set(listing.question.list, listing) };
}

function mapped(state: State, change: (listing: Listing) => Listing): State {
  let next = state;
  for (const listing of state.listings.values()) {
    const changed = change(listing);
    if (changed !== listing) next = withListing(next, changed);
  }
  return next;
}
