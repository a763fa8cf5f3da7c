import { useWords } from '../../i18n/speech.tsx';
import { TONES, toned } from './tone.ts';

const NAMES = ['none', 'light', 'mediumLight', 'medium', 'mediumDark', 'dark'] as const;
const HAND = '✋';

export function SkinTones({ tone: chosen, choose }: { tone: number; choose(tone: number): void }) {
  const { emoji } = useWords();
  return (
    <fieldset className="skin-tones">
      <legend className="visually-hidden">{emoji.skinTone}</legend>
      {TONES.map((tone) => (
        <label key={tone} className="skin-tone" title={emoji.skinTones[NAMES[tone]]}>
          <input
            type="radio"
            name="skin-tone"
            className="visually-hidden"
            checked={tone === chosen}
            onChange={() => choose(tone)}
            aria-label={emoji.skinTones[NAMES[tone]]}
          />
          <span className="emoji" aria-hidden="true">
            {toned(HAND, tone)}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
