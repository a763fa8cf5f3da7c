export const pins = {
  title: 'Pinned messages',
  count: (n: number, more: boolean) => `${n}${more ? '+' : ''} pinned`,
  by: (who: string, ago: string) => `Pinned by ${who}, ${ago}`,
  none: 'Nothing is pinned here.',
  more: 'Pinned earlier',
};
