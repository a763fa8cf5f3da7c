/** Whether the browser shows notifications of this page. It is asked only when somebody pressed something. */
import { useSyncExternalStore } from 'react';

export type Permission = NotificationPermission | 'unsupported';

const listeners = new Set<() => void>();

function permission(): Permission {
  return 'Notification' in window && isSecureContext ? Notification.permission : 'unsupported';
}

export async function askPermission(): Promise<Permission> {
  if (permission() === 'default') await Notification.requestPermission();
  for (const listener of listeners) listener();
  return permission();
}

/** Follows also what is changed in the browser's own settings. */
export function usePermission(): Permission {
  return useSyncExternalStore(subscribe, permission);
}

function subscribe(changed: () => void): () => void {
  let status: PermissionStatus | null = null;
  let wanted = true;
  listeners.add(changed);
  navigator.permissions?.query({ name: 'notifications' }).then(
    (known) => {
      if (!wanted) return;
      status = known;
      known.addEventListener('change', changed);
    },
    () => {},
  );
  return () => {
    wanted = false;
    listeners.delete(changed);
    status?.removeEventListener('change', changed);
  };
}
