import type { pins as Words } from './words.en.ts';

export const pins: typeof Words = {
  title: 'Angeheftete Nachrichten',
  count: (n, more) => `${n}${more ? '+' : ''} angeheftet`,
  by: (who, ago) => `Angeheftet von ${who}, ${ago}`,
  none: 'Hier ist nichts angeheftet.',
  more: 'Früher angeheftet',
};
