import { useRef } from 'react';
import type { Level } from '../../device/notify.ts';
import { useKnown } from '../../hooks/client.ts';
import { useDevice, useDeviceSettings } from '../../hooks/device.ts';
import { useWords } from '../../i18n/speech.tsx';
import { focusPast } from '../../kit/places.ts';
import { askPermission, usePermission } from './permission.ts';

/** Asks once, when there is somebody to hear from, and never again; the browser asks only after a yes. */
export function NotifyOffer() {
  const device = useDevice();
  const { notify, notifyAsked } = useDeviceSettings();
  const { notify: said } = useWords().app;
  const permission = usePermission();
  const alone = useKnown((state) => state.conversations.size === 0);
  const offer = useRef<HTMLElement>(null);
  if (notifyAsked || notify.level !== 'off' || permission !== 'default' || alone) return null;

  const answered = (level: Level) => {
    if (offer.current !== null) focusPast(offer.current);
    device.change({ notify: { ...notify, level }, notifyAsked: true });
  };
  const turnOn = () => {
    answered('mentions');
    void askPermission();
  };
  return (
    <section ref={offer} className="notify-offer" aria-label={said.offer}>
      <p>
        <strong>{said.offer}</strong> {said.offerMeans}
      </p>
      <button type="button" className="button small primary" onClick={turnOn}>
        {said.turnOn}
      </button>
      <button type="button" className="button small" onClick={() => answered('off')}>
        {said.no}
      </button>
    </section>
  );
}
