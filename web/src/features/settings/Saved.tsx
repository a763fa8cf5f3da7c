import { useState } from 'react';
import type { Device, DeviceSettings } from '../../device/device.ts';
import { useDevice } from '../../hooks/device.ts';
import { useWords } from '../../i18n/speech.tsx';

/** Says that something was saved, each time anew. */
export function Saved({ times }: { times: number }) {
  const { settings } = useWords();
  return (
    <p className="settings-saved" role="status">
      {times > 0 && <span key={times}>{settings.saved}</span>}
    </p>
  );
}

/** Changes what this device keeps, and counts how often. */
export function useChange(): [Device['change'], number] {
  const device = useDevice();
  const [times, setTimes] = useState(0);
  const change = (to: Partial<DeviceSettings>) => {
    device.change(to);
    setTimes((n) => n + 1);
  };
  return [change, times];
}
