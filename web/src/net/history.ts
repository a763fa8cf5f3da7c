import type { Auth } from './auth.ts';
import {
  type ConversationItem,
  decodeConversationItem,
  decodeMessageItem,
  decodePage,
  decodeRoomItem,
  decodeUserItem,
  decodeVersionItem,
  type MessageItem,
  type Page,
  type RoomItem,
  type UserItem,
  type VersionItem,
} from './frames.ts';
import type { Http } from './http.ts';
import { Problem } from './problem.ts';

export const MESSAGES_PER_PAGE = 50;
/** The most that one page may have. */
const VERSIONS_SHOWN = 200;
const CONVERSATIONS_PER_PAGE = 100;
const PEOPLE_PER_SEARCH = 20;
const BLOCKS_PER_PAGE = 200;
const ROOMS_PER_SEARCH = 20;

export interface Reading {
  /** HST2: the answer is at least as new as this position. */
  minPosition: string | null;
  signal?: AbortSignal | undefined;
}

/** The pages of history that this client reads (PROTOCOL §7). */
export class History {
  readonly #http: Http;
  readonly #auth: Auth;

  constructor(http: Http, auth: Auth) {
    this.#http = http;
    this.#auth = auth;
  }

  conversations(cursor: string | null, reading: Reading): Promise<Page<ConversationItem>> {
    const path = `/history/conversations${query({ limit: CONVERSATIONS_PER_PAGE, cursor })}`;
    return this.#page(path, reading, decodeConversationItem);
  }

  async conversation(id: string, reading: Reading): Promise<ConversationItem> {
    return decodeConversationItem(
      await this.#get(`/history/conversations/${encodeURIComponent(id)}`, reading),
    );
  }

  messages(conversation: string, before: number | null, reading: Reading): Promise<Page<MessageItem>> {
    const path = `/history/conversations/${encodeURIComponent(conversation)}/messages`;
    return this.#page(`${path}${query({ limit: MESSAGES_PER_PAGE, before })}`, reading, decodeMessageItem);
  }

  /** What a message said, oldest first; more often edited ones have more pages than this first one. */
  versions(conversation: string, seq: number, reading: Reading): Promise<Page<VersionItem>> {
    const path = `/history/conversations/${encodeURIComponent(conversation)}/messages/${seq}/versions`;
    return this.#page(`${path}${query({ limit: VERSIONS_SHOWN })}`, reading, decodeVersionItem);
  }

  /** The newest messages among exactly these people; an empty page where they have not spoken yet. */
  async direct(participants: string[], reading: Reading): Promise<Page<MessageItem>> {
    const path = `/history/direct${query({ participants: participants.join(','), limit: MESSAGES_PER_PAGE })}`;
    return this.#page(path, reading, decodeMessageItem);
  }

  /** Whom this person has blocked. */
  blocks(cursor: string | null, reading: Reading): Promise<Page<UserItem>> {
    return this.#page(`/history/blocks${query({ limit: BLOCKS_PER_PAGE, cursor })}`, reading, decodeUserItem);
  }

  /** Public rooms by name; all of them where nothing is asked for. */
  rooms(words: string, reading: Reading): Promise<Page<RoomItem>> {
    const q = words === '' ? null : words;
    return this.#page(`/history/rooms${query({ q, limit: ROOMS_PER_SEARCH })}`, reading, decodeRoomItem);
  }

  people(prefix: string, reading: Reading): Promise<Page<UserItem>> {
    return this.#page(
      `/history/users${query({ prefix, limit: PEOPLE_PER_SEARCH })}`,
      reading,
      decodeUserItem,
    );
  }

  async person(handle: string): Promise<UserItem> {
    return decodeUserItem(
      await this.#get(`/history/users/${encodeURIComponent(handle)}`, { minPosition: null }),
    );
  }

  async #page<T>(path: string, reading: Reading, item: (value: unknown) => T): Promise<Page<T>> {
    return decodePage(await this.#get(path, reading), item);
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

function query(fields: Record<string, string | number | null>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== null);
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
