/** What people may write, though few do: it has to fit all the same. */
export const LONG_NAME = 'Maximiliana-Konstantinopolitanska Wolfeschlegelsteinhausenberger'.slice(0, 64);
export const LONG_WORD =
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3);
