/** What a component knows of the page that it is in. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { browserEnvironment } from '../net/environment.ts';

/** The time, once a second for as long as `ticking`. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(browserEnvironment.now);
  useEffect(() => {
    if (!ticking) return;
    setNow(browserEnvironment.now());
    const timer = setInterval(() => setNow(browserEnvironment.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}

export function useVisible(): boolean {
  return useSyncExternalStore(
    (changed) => {
      document.addEventListener('visibilitychange', changed);
      return () => document.removeEventListener('visibilitychange', changed);
    },
    () => document.visibilityState === 'visible',
  );
}

/** Whether the browser has a network at all. */
export function useOnline(): boolean {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener('online', changed);
      window.addEventListener('offline', changed);
      return () => {
        window.removeEventListener('online', changed);
        window.removeEventListener('offline', changed);
      };
    },
    () => navigator.onLine,
  );
}

/** Whether what is typed comes to this page. */
export function useFocused(): boolean {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener('focus', changed);
      window.addEventListener('blur', changed);
      return () => {
        window.removeEventListener('focus', changed);
        window.removeEventListener('blur', changed);
      };
    },
    () => document.hasFocus(),
  );
}

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = window.matchMedia(query);
      media.addEventListener('change', changed);
      return () => media.removeEventListener('change', changed);
    },
    () => window.matchMedia(query).matches,
  );
}
