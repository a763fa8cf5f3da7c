/** Dialogs by name: whatever is in the page can open one, and there is one at a time. */
import { createContext, useContext } from 'react';

export type DialogName = 'people' | 'room' | 'keys' | 'switcher' | 'log_out';

export interface Dialogs {
  show(name: DialogName): void;
}

export const DialogsContext = createContext<Dialogs>({ show: () => {} });

export function useDialogs(): Dialogs {
  return useContext(DialogsContext);
}
