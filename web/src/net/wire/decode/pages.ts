/** Pages of history (HST1). */
import type * as Wire from '../generated.ts';
import { list, object, orNull, type Reader, text } from '../read.ts';

export interface Page<T> {
  items: T[];
  next: string | null;
  position: string;
}

/** One page of what `item` reads. */
export function pageOf<W, T>(item: Reader<W, T>): Reader<Wire.Page<W>, Page<T>> {
  const decode = object<Wire.Page<W>>()({ items: list(item), next: orNull(text), position: text });
  return (value) => decode(value, 'page') as Page<T>;
}
