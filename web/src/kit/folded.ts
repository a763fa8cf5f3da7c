/** Letters as they are compared: without accents, case and ligatures, so that `Strasse` finds `Straße` and `rene` finds `René`. */
export function foldedText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l');
}
