import { memo } from 'react';
import type { Emoji } from './data.ts';
import { rowsOf } from './grid.ts';
import { toned } from './tone.ts';

export interface Section {
  key: string;
  name: string;
  emoji: readonly Emoji[];
}

interface EmojiSectionProps {
  section: Section;
  columns: number;
  tone: number;
  /** The number of its first cell in the whole grid. */
  start: number;
  /** Whether its cells are there; before, it only has their height. */
  filled: boolean;
  /** The cell that Tab leads to, where it is one of these. */
  active: number | null;
}

/** A group of the grid. Its events are the grid's: two thousand cells need no handlers of their own. */
export const EmojiSection = memo(function EmojiSection({
  section,
  columns,
  tone,
  start,
  filled,
  active,
}: EmojiSectionProps) {
  const rows = rowsOf([section.emoji.length], columns);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table has no cells that flow and can be skipped
    <div
      className="emoji-section"
      role="rowgroup"
      aria-label={section.name}
      style={{ '--rows': rows.length, '--columns': columns } as React.CSSProperties}
    >
      <p className="emoji-section-name" aria-hidden="true">
        {section.name}
      </p>
      {!filled && <div className="emoji-unfilled" />}
      {(filled ? rows : []).map((row) => (
        // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above; the cells take the focus
        <div key={row.start} className="emoji-row" role="row">
          {section.emoji.slice(row.start, row.start + row.length).map((emoji, column) => {
            const index = start + row.start + column;
            return (
              // biome-ignore lint/a11y/useSemanticElements: see above
              <button
                key={emoji.emoji}
                type="button"
                role="gridcell"
                className="emoji-cell emoji"
                data-index={index}
                tabIndex={index === active ? 0 : -1}
                aria-label={emoji.label}
              >
                {emoji.skins ? toned(emoji.emoji, tone) : emoji.emoji}
              </button>
            );
          })}
        </div>
      ))}
    </div>
  );
});
