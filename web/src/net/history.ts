import type { Auth } from './auth.ts';
import type {
  BanItem,
  BlockItem,
  ConversationItem,
  MemberItem,
  MessageItem,
  Page,
  PinItem,
  Role,
  RoomItem,
  UserItem,
  VersionItem,
} from './frames.ts';
import type { Http } from './http.ts';
import { Problem } from './problem.ts';
import { messageItem, pinItem, versionItem } from './wire/decode/messages.ts';
import { pageOf } from './wire/decode/pages.ts';
import { banItem, blockItem, memberItem, userItem } from './wire/decode/people.ts';
import { conversationItem, roomItem } from './wire/decode/rooms.ts';
import { MAX_PAGE_HANDLES, MAX_PAGE_ITEMS } from './wire/generated.ts';
import type { Reader } from './wire/read.ts';

export const MESSAGES_PER_PAGE = 50;
const CONVERSATIONS_PER_PAGE = 100;
const PEOPLE_PER_SEARCH = 20;
const MEMBERS_PER_PAGE = 100;
const ROOMS_PER_PAGE = 20;
const FOUND_PER_PAGE = 30;

export interface Reading {
  /** HST2: the answer is at least as new as this position. */
  minPosition: string | null;
  signal?: AbortSignal | undefined;
}

/** A question for one page; `cursor` is the `next` of the page before it. */
export interface Paging extends Reading {
  cursor?: string | null | undefined;
}

/** Which messages of a conversation: of `before`, `after` and `around` one at most, the newest without any. */
export interface Window {
  before?: number | undefined;
  after?: number | undefined;
  /** Half before it, half from it on. `next` goes on to newer ones. */
  around?: number | undefined;
  /** The same around a time (RFC 3339). */
  around_at?: string | undefined;
  /** Of this message's thread, rather than outside of threads. */
  thread?: number | undefined;
  /** How many, where it is not a whole page. */
  limit?: number | undefined;
}

/** What a search looks for: messages in which words begin with all words of `q`, of which there are 1 to 10. */
export interface Sought {
  q: string;
  conversation?: string | undefined;
  /** The handle of who said it. */
  from?: string | undefined;
  before?: number | undefined;
}

type Query = Record<string, string | number | boolean | null | undefined>;

/** The pages of history that this client reads (PROTOCOL §7). Each rejects with a `Problem`, or with `Malformed`. */
export class History {
  readonly #http: Http;
  readonly #auth: Auth;

  constructor(http: Http, auth: Auth) {
    this.#http = http;
    this.#auth = auth;
  }

  conversations(cursor: string | null, reading: Reading): Promise<Page<ConversationItem>> {
    const query = { limit: CONVERSATIONS_PER_PAGE, cursor };
    return this.#page('/history/conversations', query, reading, conversationItem);
  }

  conversation(id: string, reading: Reading): Promise<ConversationItem> {
    return this.#item(of(id), reading, conversationItem);
  }

  messages(conversation: string, window: Window, paging: Paging): Promise<Page<MessageItem>> {
    const query = { limit: MESSAGES_PER_PAGE, ...window, cursor: paging.cursor };
    return this.#page(of(conversation, 'messages'), query, paging, messageItem);
  }

  /** The newest messages among exactly these people; an empty page where they have not spoken yet. */
  direct(participants: string[], reading: Reading): Promise<Page<MessageItem>> {
    const query = { participants: participants.join(','), limit: MESSAGES_PER_PAGE };
    return this.#page('/history/direct', query, reading, messageItem);
  }

  /** What a message said, oldest first; more often edited ones have more pages than this first one. */
  versions(conversation: string, seq: number, paging: Paging): Promise<Page<VersionItem>> {
    const query = { limit: MAX_PAGE_ITEMS, cursor: paging.cursor };
    return this.#page(of(conversation, 'messages', String(seq), 'versions'), query, paging, versionItem);
  }

  /** The threads of a conversation, each as the message that it began with, newest activity first. */
  threads(conversation: string, paging: Paging): Promise<Page<MessageItem>> {
    const query = { limit: MESSAGES_PER_PAGE, cursor: paging.cursor };
    return this.#page(of(conversation, 'threads'), query, paging, messageItem);
  }

  /** What is pinned, the last one pinned first. */
  pins(conversation: string, paging: Paging): Promise<Page<PinItem>> {
    const query = { limit: MESSAGES_PER_PAGE, cursor: paging.cursor };
    return this.#page(of(conversation, 'pins'), query, paging, pinItem);
  }

  /** Who is in a conversation: all, those of one role, those whose handle begins so. */
  members(
    conversation: string,
    which: { role?: Role | undefined; prefix?: string | undefined },
    paging: Paging,
  ): Promise<Page<MemberItem>> {
    const query = { limit: MEMBERS_PER_PAGE, ...which, cursor: paging.cursor };
    return this.#page(of(conversation, 'members'), query, paging, memberItem);
  }

  /** Who may not come back; for moderators and owners. */
  bans(conversation: string, paging: Paging): Promise<Page<BanItem>> {
    const query = { limit: MEMBERS_PER_PAGE, cursor: paging.cursor };
    return this.#page(of(conversation, 'bans'), query, paging, banItem);
  }

  /** The newest first. A page looks only so far back: with a `next` it may be short, or empty. */
  search(sought: Sought, paging: Paging): Promise<Page<MessageItem>> {
    const query = { limit: FOUND_PER_PAGE, ...sought, cursor: paging.cursor };
    return this.#page('/history/search', query, paging, messageItem);
  }

  /** Public rooms by words of their name or topic; all of them where nothing is asked for. */
  rooms(words: string, paging: Paging & { archived?: boolean | undefined }): Promise<Page<RoomItem>> {
    const { cursor, archived } = paging;
    const query = { limit: ROOMS_PER_PAGE, q: words === '' ? null : words, archived, cursor };
    return this.#page('/history/rooms', query, paging, roomItem);
  }

  /** A public room, or one that this person is in. */
  room(id: string, reading: Reading): Promise<RoomItem> {
    return this.#item(`/history/rooms/${encodeURIComponent(id)}`, reading, roomItem);
  }

  /** Whom this person has blocked. */
  blocks(cursor: string | null, reading: Reading): Promise<Page<BlockItem>> {
    return this.#page('/history/blocks', { limit: MAX_PAGE_ITEMS, cursor }, reading, blockItem);
  }

  people(prefix: string, paging: Paging): Promise<Page<UserItem>> {
    const query = { prefix, limit: PEOPLE_PER_SEARCH, cursor: paging.cursor };
    return this.#page('/history/users', query, paging, userItem);
  }

  /** Those of them who are there, in one page: `MAX_PAGE_HANDLES` at most. */
  peopleCalled(handles: readonly string[], reading: Reading): Promise<Page<UserItem>> {
    const query = { handles: handles.join(','), limit: MAX_PAGE_HANDLES };
    return this.#page('/history/users', query, reading, userItem);
  }

  person(handle: string, reading: Reading = { minPosition: null }): Promise<UserItem> {
    return this.#item(`/history/users/${encodeURIComponent(handle)}`, reading, userItem);
  }

  async #page<W, T>(path: string, query: Query, reading: Reading, item: Reader<W, T>): Promise<Page<T>> {
    return pageOf(item)(await this.#get(`${path}${asked(query)}`, reading), 'page');
  }

  async #item<W, T>(path: string, reading: Reading, item: Reader<W, T>): Promise<T> {
    return item(await this.#get(path, reading), path);
  }

  async #get(path: string, reading: Reading): Promise<unknown> {
    const token = await this.#auth.usableToken();
    try {
      return await this.#ask(path, token.value, reading);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      // The token ended on the way, or was revoked: a refresh settles which.
      return await this.#ask(path, (await this.#auth.refresh()).value, reading);
    }
  }

  #ask(path: string, token: string, reading: Reading): Promise<unknown> {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (reading.minPosition !== null) headers['Natter-Min-Position'] = reading.minPosition;
    return this.#http.json({ method: 'GET', path, headers, signal: reading.signal });
  }
}

/** The address of a conversation, or of what is in it. */
function of(conversation: string, ...parts: string[]): string {
  return ['/history/conversations', encodeURIComponent(conversation), ...parts].join('/');
}

function asked(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
