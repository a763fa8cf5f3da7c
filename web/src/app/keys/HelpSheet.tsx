import { useDevice, useDeviceSettings } from '../../hooks/device.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Dialog } from '../../kit/Dialog.tsx';
import { isMac, namesOfKeys } from './keys.ts';
import { SCOPES, SHORTCUTS } from './shortcuts.ts';
import './keys.css';

/** All shortcuts, and whether single letters are some. */
export function HelpSheet({ close }: { close(): void }) {
  const { keys: said } = useWords().app;
  const device = useDevice();
  const { singleKeys } = useDeviceSettings();
  const mac = isMac();
  return (
    <Dialog title={said.title} close={close}>
      {SCOPES.map((scope) => (
        <table key={scope} className="keys">
          <caption>{said.scopes[scope]}</caption>
          <tbody>
            {SHORTCUTS.filter((shortcut) => shortcut.scope === scope).map(({ name, keys }) => (
              <tr key={name}>
                <th scope="row">{said.deeds[name]}</th>
                <td>
                  {namesOfKeys(keys, said.names, mac).map((key, n) => (
                    <span key={key}>
                      {n > 0 && <span className="visually-hidden"> + </span>}
                      <kbd>{key}</kbd>
                    </span>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      <label className="choice keys-single">
        <input
          type="checkbox"
          checked={singleKeys}
          onChange={(event) => device.change({ singleKeys: event.target.checked })}
        />
        <span>
          {said.single}
          <span className="hint">{said.singleMeans}</span>
        </span>
      </label>
    </Dialog>
  );
}
