/** The parts of the list: what one has starred, rooms, people, and what one has hidden. */
import { mentionCount, unreadCount } from '../../store/unread.ts';
import type { Row } from './rows.ts';

const SECTIONS = ['starred', 'rooms', 'people', 'hidden'] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface Section {
  name: SectionName;
  rows: readonly Row[];
  /** Of all of it, without what is muted. */
  unread: number;
  /** Also of what is muted. */
  mentions: number;
}

/** Which of them are open. */
export type Opened = Readonly<Record<SectionName, boolean>>;

/** Under this name the device keeps which are open. */
export const OPENED_SETTING = 'list.opened';
const OPENED: Opened = { starred: true, rooms: true, people: true, hidden: false };

/** Those that have something in them; in each the rows stay in their order. */
export function sectionsOf(rows: readonly Row[], me: string): Section[] {
  const sections = SECTIONS.map((name) => ({ name, rows: [] as Row[], unread: 0, mentions: 0 }));
  for (const row of rows) {
    const section = sections.find(({ name }) => name === sectionOf(row, me));
    if (section === undefined) continue;
    section.rows.push(row);
    section.mentions += mentionsIn(row, me);
    if (!row.preferences.muted) section.unread += unreadIn(row, me);
  }
  return sections.filter(({ rows }) => rows.length > 0);
}

/** What the device kept may be anything. */
export function openedOf(kept: unknown): Opened {
  if (typeof kept !== 'object' || kept === null) return OPENED;
  const known = new Map(Object.entries(kept).filter(([, open]) => typeof open === 'boolean'));
  return { ...OPENED, ...Object.fromEntries(SECTIONS.flatMap((name) => pairOf(name, known.get(name)))) };
}

/** The rows that one sees, from the top to the bottom. */
export function rowsShown(sections: readonly Section[], opened: Opened): Row[] {
  return sections.flatMap(({ name, rows }) => (opened[name] ? rows : []));
}

/** Where one goes from `key`: to the next row, or the one before; at the ends it goes on at the other end. */
export function neighbour(rows: readonly Row[], key: string | null, step: 1 | -1): Row | undefined {
  const at = rows.findIndex((row) => row.key === key);
  if (at < 0) return step > 0 ? rows[0] : rows.at(-1);
  return rows[(at + step + rows.length) % rows.length];
}

/** The same among those with something new; what is muted counts only where one is mentioned. */
export function unreadNeighbour(
  rows: readonly Row[],
  key: string | null,
  step: 1 | -1,
  me: string,
): Row | undefined {
  const news = rows.filter((row) => row.key === key || isNew(row, me));
  const next = neighbour(news, key, step);
  return next?.key === key ? undefined : next;
}

export function unreadIn({ conversation }: Row, me: string): number {
  return conversation === null ? 0 : unreadCount(conversation, me);
}

export function mentionsIn({ conversation }: Row, me: string): number {
  return conversation === null ? 0 : mentionCount(conversation, me);
}

/** What is hidden is back in its place for as long as there is something new in it. */
function sectionOf(row: Row, me: string): SectionName {
  if (row.preferences.hidden && unreadIn(row, me) === 0) return 'hidden';
  if (row.preferences.starred) return 'starred';
  return row.conversation?.kind === 'room' ? 'rooms' : 'people';
}

function isNew(row: Row, me: string): boolean {
  return row.preferences.muted ? mentionsIn(row, me) > 0 : unreadIn(row, me) > 0;
}

function pairOf<T>(name: SectionName, value: T | undefined): [SectionName, T][] {
  return value === undefined ? [] : [[name, value]];
}
