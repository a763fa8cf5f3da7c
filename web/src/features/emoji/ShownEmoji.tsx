import type { Emoji } from './data.ts';
import { toned } from './tone.ts';

/** The emoji that is pointed at, large and with its names: for the eye, the cell itself says them to others. */
export function ShownEmoji({ emoji, tone }: { emoji: Emoji | undefined; tone: number }) {
  return (
    <span className="emoji-shown" aria-hidden="true">
      {emoji !== undefined && (
        <>
          <span className="emoji">{emoji.skins ? toned(emoji.emoji, tone) : emoji.emoji}</span>
          <span className="emoji-name">
            <span>{emoji.label}</span>
            <span className="hint">{emoji.codes[0] !== undefined && `:${emoji.codes[0]}:`}</span>
          </span>
        </>
      )}
    </span>
  );
}
