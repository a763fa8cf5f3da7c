import { useWords } from '../../i18n/speech.tsx';
import { Toolbar } from '../../kit/Toolbar.tsx';
import type { Section } from './EmojiSection.tsx';

/** What each category is recognised by. */
const SIGNS: Record<string, string> = {
  recent: '🕘',
  'smileys-emotion': '😀',
  'people-body': '👋',
  'animals-nature': '🐻',
  'food-drink': '🍔',
  'travel-places': '🚗',
  activities: '⚽',
  objects: '💡',
  symbols: '💯',
  flags: '🏁',
};

interface CategoriesProps {
  sections: readonly Section[];
  current: string | undefined;
  choose(index: number): void;
}

export function Categories({ sections, current, choose }: CategoriesProps) {
  const { emoji } = useWords();
  const tools = sections.map(({ key, name }, index) => ({
    ...{ id: key, name, icon: SIGNS[key] ?? name, pressed: key === current },
    run: () => choose(index),
  }));
  return <Toolbar name={emoji.categories} className="emoji-categories" buttonClass="emoji" tools={tools} />;
}
