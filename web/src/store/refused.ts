/** What a link leads to and this person may not see. */
import type { Gone } from './rooms.ts';
import { conversationShown } from './shown.ts';
import { roomKey, rowReading, type State } from './state.ts';

/** CMD6: a public room that one is not in is known to be there, and of everything else one can't tell. */
type Refusal = 'not_member' | 'not_found';

/** Whether one may just come in: it is not known that one may not. */
export function isOpenTo(gone: Gone | undefined, refusal: Refusal | null): boolean {
  return gone === undefined
    ? refusal === 'not_member'
    : gone.visibility === 'public' && gone.change !== 'banned';
}

/** What history said of it, where it is nothing that is known here. */
export function refusalAt(state: State, id: string): Refusal | null {
  if (conversationShown(state, id) !== undefined) return null;
  for (const key of [roomKey(id), rowReading(id)]) {
    const reading = state.readings.get(key);
    if (reading?.status !== 'failed') continue;
    const { code } = reading.fault;
    if (code === 'not_member' || code === 'not_found') return code;
  }
  return null;
}
