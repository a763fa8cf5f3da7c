/** What a key is called that an input method has taken. */
const TAKEN = 229;

/**
 * Whether a key belongs to a composition (Japanese, Chinese …) and is not meant for us. Safari ends the composition before it
 * tells of the Enter that confirmed it: only the code says then what that Enter was.
 */
export function isComposing(key: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return key.isComposing || key.keyCode === TAKEN;
}
