/** Why something did not work, in words: before it left, or by the server. */
import type { common } from '../../kit/words.en.ts';
import type { Fault } from '../../net/problem.ts';
import type { Kind } from '../../outbox/commands/commands.ts';
import { MAX_ENTRIES } from '../../outbox/queue.ts';
import { MAX_SCALARS } from '../../outbox/text.ts';

type Words = Pick<typeof common, 'faults' | 'refusals'>;

/** Why a text can't be sent. */
export function faultText(fault: string, length: number, { faults }: Words): string {
  switch (fault) {
    case 'too_long':
      return faults.tooLong(MAX_SCALARS, length);
    case 'control_character':
      return faults.controlCharacter;
    case 'full':
      return faults.full(MAX_ENTRIES);
    default:
      return faults.empty;
  }
}

/** Why something did not work. Of what we have no words for the server's own are better than none. */
export function refusalText(fault: Fault | undefined, { refusals }: Words, kind?: Kind): string {
  const code = fault?.code ?? 'unknown';
  // Some refusals say more of one kind of command.
  const special = `${code}_${kind}`;
  if (isKey(refusals, special)) return refusals[special];
  return code === 'unknown' ? fault?.message || refusals.unknown : refusals[code];
}

function isKey<T extends object>(of: T, name: PropertyKey): name is keyof T {
  return Object.hasOwn(of, name);
}
