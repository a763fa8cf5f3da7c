import { later } from '../../kit/later.tsx';

/** The menu of a conversation, which nobody sees before they ask for it. */
export const ConversationMenu = later(async () => (await import('./ConversationMenu.tsx')).ConversationMenu);
