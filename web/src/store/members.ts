/**
 * Who is in the room whose people are on the screen, and who is banned from it: read in pages, kept true by frames, and
 * let go with the pane. Which of the two is newer nobody can tell, so what frames told since is done to every page again.
 */
import type { BanItem, MemberFrame, MemberItem, Page, Role } from '../net/frames.ts';
import { isGoing } from './rooms.ts';
import type { Reading, State } from './state.ts';

/** Beyond it people are found by the beginning of their handle. */
export const MAX_MEMBERS_HELD = 2_000;
const MAX_TOLD = 1_000;

export const ROLES = ['owner', 'moderator', 'member'] as const satisfies readonly Role[];

export type ByRole<T> = Readonly<Record<Role, T>>;

export interface Members {
  conversation: string;
  reading: Reading;
  people: ReadonlyMap<string, Role>;
  /** Where the pages of each role go on; null where all are here. */
  next: ByRole<string | null>;
  /** Null until they are read: that is for moderators and owners. */
  banned: ReadonlySet<string> | null;
  bannedNext: string | null;
  /** Who is what since this was opened; null for those who are in it no more. */
  told: ReadonlyMap<string, Role | null>;
  toldBans: ReadonlyMap<string, boolean>;
}

export type MembersChange =
  | { type: 'members_opened'; conversation: string }
  | { type: 'members_closed' }
  | { type: 'members_reading'; generation: number; conversation: string; reading: Reading }
  /** The first page of each role: what was here before is replaced. */
  | { type: 'members_read'; generation: number; conversation: string; pages: ByRole<Page<MemberItem>> }
  /** A later page of a role, or people of any role who were looked for. */
  | {
      type: 'members_page';
      generation: number;
      conversation: string;
      role: Role | null;
      page: Page<MemberItem>;
    }
  /** How many are in it is asked for now. */
  | { type: 'counting'; conversation: string }
  | { type: 'bans_page'; generation: number; conversation: string; first: boolean; page: Page<BanItem> };

export const membersChanges = {
  members_opened,
  members_closed: (state: State): State => (state.members === null ? state : { ...state, members: null }),
  members_reading: (state: State, { conversation, reading }: Of<'members_reading'>): State =>
    changed(state, conversation, (held) => ({ ...held, reading })),
  members_read,
  members_page: (state: State, { conversation, role, page }: Of<'members_page'>): State =>
    changed(state, conversation, (held) => ({
      ...held,
      people: withTold(held, [...held.people, ...roles(page.items)]),
      next: role === null ? held.next : { ...held.next, [role]: page.next },
    })),
  counting: (state: State, { conversation }: Of<'counting'>): State => {
    const uncounted = new Set(state.uncounted);
    uncounted.delete(conversation);
    return { ...state, uncounted };
  },
  bans_page: (state: State, { conversation, first, page }: Of<'bans_page'>): State =>
    changed(state, conversation, (held) => ({
      ...held,
      banned: withBans(held, first ? [] : (held.banned ?? []), page.items),
      bannedNext: page.next,
    })),
};

type Of<T extends MembersChange['type']> = Extract<MembersChange, { type: T }>;

/** The same room again keeps what is here until that is read anew. */
function members_opened(state: State, { conversation }: Of<'members_opened'>): State {
  const held = state.members?.conversation === conversation ? state.members : null;
  const members: Members = {
    conversation,
    reading: held?.reading ?? { status: 'loading' },
    people: held?.people ?? new Map(),
    next: held?.next ?? { owner: null, moderator: null, member: null },
    banned: held?.banned ?? null,
    bannedNext: held?.bannedNext ?? null,
    told: new Map(),
    toldBans: new Map(),
  };
  return { ...state, members };
}

function members_read(state: State, { conversation, pages }: Of<'members_read'>): State {
  return changed(state, conversation, (held) => ({
    ...held,
    reading: { status: 'done' },
    people: withTold(
      held,
      ROLES.flatMap((role) => roles(pages[role].items)),
    ),
    next: { owner: pages.owner.next, moderator: pages.moderator.next, member: pages.member.next },
  }));
}

/** What somebody's place in the room is now. */
export function withMember(before: State, { conversation, user, change, role }: MemberFrame): State {
  // Of where one comes oneself all is read anyway, and of where one goes nothing any more.
  const state = user === before.me ? before : withUncounted(before, conversation, change);
  return changed(state, conversation, (held) => {
    const now = placeAfter(change, role);
    const told = now === undefined ? held.told : remembered(held.told, user, now);
    const ban = change === 'banned' ? true : change === 'unbanned' ? false : undefined;
    const toldBans = ban === undefined ? held.toldBans : remembered(held.toldBans, user, ban);
    const next = { ...held, told, toldBans };
    return {
      ...next,
      people: now === undefined ? held.people : withTold(next, held.people),
      banned: ban === undefined || held.banned === null ? held.banned : withBans(next, held.banned, []),
    };
  });
}

function withUncounted(state: State, conversation: string, change: string): State {
  const comesOrGoes = change === 'joined' || isGoing(change);
  if (!comesOrGoes || !state.conversations.has(conversation) || state.uncounted.has(conversation))
    return state;
  return { ...state, uncounted: new Set(state.uncounted).add(conversation) };
}

/** Undefined where the change says nothing of whether they are in it. */
function placeAfter(change: string, role: Role | undefined): Role | null | undefined {
  if (change === 'joined') return role ?? 'member';
  if (change === 'role') return role;
  return isGoing(change) ? null : undefined;
}

/** The last ones that were read stay. */
function withTold({ told }: Members, people: Iterable<readonly [string, Role]>): ReadonlyMap<string, Role> {
  const next = new Map(people);
  for (const [user, role] of told) {
    if (role === null) next.delete(user);
    else next.set(user, role);
  }
  return next.size <= MAX_MEMBERS_HELD ? next : new Map([...next].slice(-MAX_MEMBERS_HELD));
}

function withBans(
  { toldBans }: Members,
  held: Iterable<string>,
  items: readonly BanItem[],
): ReadonlySet<string> {
  const next = new Set(held);
  for (const { user } of items) next.add(user);
  for (const [user, banned] of toldBans) {
    if (banned) next.add(user);
    else next.delete(user);
  }
  // Who was erased has no handle any more: nobody can take that back.
  next.delete('');
  return next;
}

function roles(items: readonly MemberItem[]): [string, Role][] {
  return items.filter(({ user }) => user !== '').map(({ user, role }) => [user, role ?? 'member']);
}

function remembered<T>(told: ReadonlyMap<string, T>, user: string, what: T): ReadonlyMap<string, T> {
  const next = new Map(told);
  next.delete(user);
  const oldest = next.keys().next().value;
  if (next.size >= MAX_TOLD && oldest !== undefined) next.delete(oldest);
  return next.set(user, what);
}

function changed(state: State, conversation: string, change: (held: Members) => Members): State {
  const { members } = state;
  return members?.conversation === conversation ? { ...state, members: change(members) } : state;
}
