/** Client ids: UUIDv7, whose first 48 bits are the server's time in milliseconds. */

export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Ids of one maker ascend within a millisecond; across one they follow the clock, also backwards. */
export class Uuid7 {
  readonly #fill: FillRandom;
  #lastMs = -1;
  #counter = 0;

  constructor(fill: FillRandom) {
    this.#fill = fill;
  }

  make(nowMs: number): string {
    const bytes = new Uint8Array(16);
    this.#fill(bytes);
    const ms = Math.max(0, Math.floor(nowMs));
    // The 12 bits after the version count within a millisecond, from a random start in their lower half.
    this.#counter =
      ms === this.#lastMs ? (this.#counter + 1) & 0xfff : (((bytes[6] ?? 0) & 0x07) << 8) | (bytes[7] ?? 0);
    this.#lastMs = ms;
    const view = new DataView(bytes.buffer);
    view.setUint16(0, Math.floor(ms / 2 ** 32) & 0xffff);
    view.setUint32(2, ms >>> 0);
    view.setUint16(6, 0x7000 | this.#counter);
    view.setUint8(8, 0x80 | ((bytes[8] ?? 0) & 0x3f));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

/** When an id of this kind was made, in ms since 1970; null for one of another kind. */
export function timeOfUuid7(id: string): number | null {
  const hex = id.replaceAll('-', '');
  return /^[0-9a-f]{12}7[0-9a-f]{19}$/.test(hex) ? Number.parseInt(hex.slice(0, 12), 16) : null;
}
