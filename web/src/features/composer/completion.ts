/** What somebody begins to write that can be completed: `@ad` is about a person, `:ta` about an emoji. */
import { foldedText } from '../../kit/folded.ts';
import { isInCode } from '../emoji/shortcodes.ts';
import type { Edit } from './edit.ts';

export interface Completing {
  kind: 'person' | 'emoji';
  /** From its sign to the end of its word, also what stands behind the caret. */
  from: number;
  to: number;
  /** What is written between the sign and the caret. */
  query: string;
}

/** Behind these an `@` stands in an address or a path, and mentions nobody (PROTOCOL, who is mentioned). */
const PERSON = /(?:^|[^\p{L}\p{N}_\-@./])@([\p{L}\p{M}\p{N}_'-]{0,32})$/u;
/** From two characters on, so that `:D` and `:-)` stay smileys. */
const EMOJI = /(?:^|[^\p{L}\p{N}:])(?::[\p{L}\p{N}_+-]{1,64}:)*:([\p{L}\p{N}+][\p{L}\p{M}\p{N}_+-]{1,63})$/u;
const REST_OF_PERSON = /^[\p{L}\p{M}\p{N}_'-]*/u;
const REST_OF_EMOJI = /^[\p{L}\p{M}\p{N}_+-]*:?/u;
/** A longer word is none of these. */
const MAX_LOOK = 200;

/** What is being written at the caret; nothing in the middle of code. */
export function completingAt(text: string, caret: number): Completing | null {
  const before = text.slice(Math.max(0, caret - MAX_LOOK), caret);
  const person = PERSON.exec(before)?.[1];
  const emoji = person === undefined ? EMOJI.exec(before)?.[1] : undefined;
  const query = person ?? emoji;
  if (query === undefined) return null;
  const from = caret - query.length - 1;
  if (isInCode(text, from)) return null;
  const rest = (person === undefined ? REST_OF_EMOJI : REST_OF_PERSON).exec(text.slice(caret))?.[0] ?? '';
  return { kind: person === undefined ? 'emoji' : 'person', from, to: caret + rest.length, query };
}

/** Puts in what was chosen, and a space where none follows, for the next word. */
export function completed(text: string, { from, to }: Completing, chosen: string): Edit {
  const next = text[to] ?? '';
  if (next === '' || /[\p{L}\p{N}]/u.test(next)) return { from, to, text: `${chosen} ` };
  // Behind a space that is there already one goes on writing.
  const at = from + chosen.length + (next === ' ' ? 1 : 0);
  return { from, to, text: chosen, select: [at, at] };
}

/** Whether there is nothing to put in: it stands there, letter for letter. */
export function isComplete(text: string, { from, to }: Completing, chosen: string): boolean {
  return text.slice(from, to) === chosen;
}

export interface Somebody {
  handle: string;
  /** What they call themselves. */
  name: string;
}

/**
 * Whoever is called like that, by handle or name: whose handle it is, then who spoke lately, the last one before the others.
 */
export function rankedPeople(
  query: string,
  people: Iterable<Somebody>,
  lately: readonly string[],
  limit: number,
): Somebody[] {
  const asked = foldedText(query);
  const places = new Map(lately.map((handle, place) => [handle, place]));
  const found = new Map<string, { person: Somebody; place: number; byHandle: boolean }>();
  for (const person of people) {
    const byHandle = person.handle.startsWith(asked);
    if (!byHandle && !isCalled(person.name, asked)) continue;
    found.set(person.handle, { person, place: places.get(person.handle) ?? lately.length, byHandle });
  }
  return [...found.values()]
    .sort(
      (a, b) =>
        Number(b.person.handle === asked) - Number(a.person.handle === asked) ||
        a.place - b.place ||
        Number(b.byHandle) - Number(a.byHandle) ||
        (a.person.handle < b.person.handle ? -1 : 1),
    )
    .slice(0, limit)
    .map(({ person }) => person);
}

function isCalled(name: string, asked: string): boolean {
  return foldedText(name)
    .split(/[^\p{L}\p{N}]+/u)
    .some((word) => word.startsWith(asked));
}
