/**
 * Where one is in the page, in its address:
 *
 *     #/                           the list, and nothing open
 *     #/@bob,carol                 the conversation with these people
 *     #/room/<id>                  a room
 *     #/c/<id>                     any conversation by its id: what a link to a message begins with
 *     …/<seq>                      a message in it
 *     …/thread/<seq>  …/pins       a pane beside it, after either of them
 *     #/rooms  #/settings          pages of their own
 */
import { useMemo, useSyncExternalStore } from 'react';
import { conversationShown } from '../store/shown.ts';
import {
  directKey,
  isExplained,
  keyOf,
  peopleOfKey,
  roomKey,
  roomOfKey,
  type State,
} from '../store/state.ts';

/** What stands beside a conversation. */
export type Pane =
  | { name: 'thread'; root: number }
  | { name: 'person'; handle: string }
  | { name: (typeof PLAIN_PANES)[number] };

const PLAIN_PANES = ['threads', 'pins', 'members', 'details', 'search'] as const;
const PAGES = ['rooms', 'settings'] as const;

export type Route =
  | { page: 'list' }
  | { page: (typeof PAGES)[number]; section: string | null }
  | { page: 'conversation'; of: Whose; at: number | null; pane: Pane | null };

/** Which conversation: by its people, or by its id. */
export type Whose = { people: readonly string[] } | { room: string } | { id: string };

const HANDLE = '[a-z0-9][a-z0-9_-]{1,31}';
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const CONVERSATION = new RegExp(
  `^#/(?:@(?<people>${HANDLE}(?:,${HANDLE}){0,31})|room/(?<room>${UUID})|c/(?<id>${UUID}))` +
    `(?:/(?<at>\\d{1,16}))?` +
    `(?:/(?:thread/(?<root>\\d{1,16})|person/(?<handle>${HANDLE})|(?<pane>${PLAIN_PANES.join('|')})))?$`,
);
const PAGE = new RegExp(`^#/(?<page>${PAGES.join('|')})(?:/(?<section>[a-z-]{1,32}))?$`);

/** What is no address of ours leads to the list. */
export function routeOf(hash: string): Route {
  const page = PAGE.exec(hash)?.groups;
  if (page !== undefined) {
    const { page: name, section } = page;
    return { page: PAGES.find((known) => known === name) ?? 'rooms', section: section ?? null };
  }
  const found = CONVERSATION.exec(hash)?.groups;
  if (found === undefined) return { page: 'list' };
  const { people, room, id, at } = found;
  const of: Whose | null =
    people !== undefined
      ? { people: people.split(',') }
      : room !== undefined
        ? { room }
        : id !== undefined
          ? { id }
          : null;
  if (of === null) return { page: 'list' };
  return { page: 'conversation', of, at: wholeOf(at), pane: paneOf(found) };
}

export function hashOf(route: Route): string {
  switch (route.page) {
    case 'list':
      return '#/';
    case 'conversation':
      return `${hashOfWhose(route.of)}${route.at === null ? '' : `/${route.at}`}${hashOfPane(route.pane)}`;
    default:
      return `#/${route.page}${route.section === null ? '' : `/${route.section}`}`;
  }
}

/** Where a conversation is shown. */
export function hashOfKey(key: string, me: string): string {
  return hashOfWhose(whoseOf(key, me));
}

export function hashOfRoom(id: string): string {
  return hashOfWhose({ room: id });
}

export function hashOfPeople(people: readonly string[]): string {
  return hashOfWhose({ people });
}

/** A link to a message that says the same to everybody who may read it; in a thread, with that beside it. */
export function linkTo(conversation: string, seq: number, root: number | null = null): string {
  const pane: Pane | null = root === null ? null : { name: 'thread', root };
  return hashOf({ page: 'conversation', of: { id: conversation }, at: seq, pane });
}

/** The key of what the route shows; null without a conversation, undefined where its id is not known yet. */
export function keyOfRoute(
  route: Route,
  state: Pick<State, 'me' | 'conversations' | 'stale'>,
): string | null | undefined {
  if (route.page !== 'conversation') return null;
  const { of } = route;
  if ('room' in of) return roomKey(of.room);
  if ('people' in of) return directKey([state.me, ...of.people]);
  const held = conversationShown(state, of.id);
  return held === undefined || !isExplained(held) ? undefined : keyOf(held);
}

/** The id that the route names a conversation by. */
export function idOfRoute(route: Route): string | null {
  if (route.page !== 'conversation') return null;
  const { of } = route;
  return 'room' in of ? of.room : 'id' in of ? of.id : null;
}

export function go(route: Route): void {
  navigate(hashOf(route));
}

export function navigate(hash: string): void {
  location.hash = hash;
  // The browser says so only later: what is typed until then would go to what was open before.
  tellAll();
}

/** The message that an address names in a thread, where that is not the one with which the thread begins. */
export function replyIn(route: Route): number | null {
  if (route.page !== 'conversation' || route.pane?.name !== 'thread') return null;
  return route.at === route.pane.root ? null : route.at;
}

/** A link to a message was followed: it can then be followed again. */
export function leaveMessage(key: string, me: string, pane: Pane | null): void {
  replace({ page: 'conversation', of: whoseOf(key, me), at: null, pane });
}

/** The same place in history: the way back does not lead through it. */
function replace(route: Route): void {
  history.replaceState(history.state, '', hashOf(route));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => routeOf(hash), [hash]);
}

const listeners = new Set<() => void>();

/** One listener of the window for all of them: told one by one, a part of the page would be drawn at the new address in an old one. */
function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('hashchange', tellAll);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('hashchange', tellAll);
  };
}

function tellAll(): void {
  for (const listener of listeners) listener();
}

function whoseOf(key: string, me: string): Whose {
  const room = roomOfKey(key);
  if (room !== null) return { room };
  const others = peopleOfKey(key).filter((user) => user !== me);
  return { people: others.length === 0 ? [me] : others };
}

function hashOfWhose(of: Whose): string {
  if ('room' in of) return `#/room/${of.room}`;
  return 'people' in of ? `#/@${of.people.join(',')}` : `#/c/${of.id}`;
}

function hashOfPane(pane: Pane | null): string {
  if (pane === null) return '';
  if ('root' in pane) return `/thread/${pane.root}`;
  return 'handle' in pane ? `/person/${pane.handle}` : `/${pane.name}`;
}

function paneOf({ root, handle, pane }: Record<string, string>): Pane | null {
  const thread = wholeOf(root);
  if (thread !== null) return { name: 'thread', root: thread };
  if (handle !== undefined) return { name: 'person', handle };
  const name = PLAIN_PANES.find((known) => known === pane);
  return name === undefined ? null : { name };
}

function wholeOf(digits: string | undefined): number | null {
  const value = Number(digits);
  return digits !== undefined && Number.isSafeInteger(value) ? value : null;
}
