import type { listed as Words } from './words.en.ts';

export const listed: typeof Words = {
  inThread: 'in einem Thread',
  answers: (text) => `Antwort auf: ${text}`,
};
