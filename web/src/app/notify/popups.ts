/** What the browser shows outside of the page: one at a time for each tag, a later one takes the earlier one's place. */
import { navigate } from '../../hooks/route.ts';

export interface Popup {
  tag: string;
  title: string;
  body: string;
  /** Where a click leads. */
  hash: string;
}

export interface Popups {
  show(popup: Popup): void;
  close(tag: string): void;
}

const ICON = '/favicon.svg';

export function browserPopups(): Popups {
  const own = new Map<string, Notification>();
  return {
    show({ tag, title, body, hash }) {
      if (!('Notification' in window) || Notification.permission !== 'granted') return;
      // The sound is ours, as loud as this device wants it.
      const options = { tag, body, icon: ICON, silent: true, data: { hash } };
      try {
        const shown = new Notification(title, options);
        shown.onclick = () => {
          shown.close();
          window.focus();
          navigate(hash);
        };
        shown.onclose = () => own.get(tag) === shown && own.delete(tag);
        own.set(tag, shown);
      } catch {
        // On phones only a service worker may; it opens what was clicked.
        void registration().then((worker) => worker?.showNotification(title, options).catch(() => {}));
      }
    },
    close(tag) {
      own.get(tag)?.close();
      own.delete(tag);
      void registration()
        .then((worker) => worker?.getNotifications({ tag }))
        .then((shown) => shown?.forEach((each) => void each.close()))
        .catch(() => {});
    },
  };
}

async function registration(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker?.getRegistration();
}
