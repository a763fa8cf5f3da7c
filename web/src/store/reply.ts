/** What is shown of a message by those that answer it. */

/** So many Unicode scalar values of it, as history does. */
const PREVIEW_SCALARS = 200;

export function beginning(text: string): string {
  // A string has at most as many scalars as code units.
  return text.length <= PREVIEW_SCALARS ? text : [...text].slice(0, PREVIEW_SCALARS).join('');
}
