/** The parts as a browser has them, put together. */
import { storageOf } from './device/device.ts';
import { Auth } from './net/auth.ts';
import type { Socket } from './net/connection/driver.ts';
import { browserEnvironment } from './net/environment.ts';
import { SUBPROTOCOL } from './net/frames.ts';
import { History } from './net/history.ts';
import { Http } from './net/http.ts';
import { openDatabase } from './outbox/database.ts';
import { openStorage } from './outbox/storage.ts';
import { Uuid7 } from './outbox/uuid7.ts';
import { Client } from './sync/client.ts';
import { type LastUser, Session } from './sync/session.ts';
import { browserTabs } from './sync/tabs.ts';

const PROBE_TIMEOUT_MS = 3_000;

const fillRandom = (bytes: Uint8Array<ArrayBuffer>): void => {
  crypto.getRandomValues(bytes);
};

export function composeSession(): Session {
  const environment = browserEnvironment;
  const http = new Http(environment, (path, init) => fetch(path, init));
  const auth = new Auth(http, environment);
  const history = new History(http, auth);
  const session = new Session(auth, environment, lastUser(storageOf(window)), (me) => {
    const database = openDatabase(globalThis.indexedDB, me);
    const client = new Client({
      me,
      auth,
      history,
      environment,
      openSocket,
      probe,
      storage: openStorage(database),
      keep: { database, channel: (name) => openChannel(`natter:${me}:${name}`) },
      tabs: browserTabs(navigator.locks, new Uuid7(fillRandom).make(environment.now())),
      fillRandom,
    });
    if (!navigator.onLine) client.network(false);
    return client;
  });
  passOnWhatTheBrowserSays(session);
  return session;
}

/** Only a handle: it says whose database on this device is whose, and proves nothing to the server. */
function lastUser(storage: Storage | undefined): LastUser {
  const key = 'natter:last-user';
  return {
    get: () => storage?.getItem(key) ?? null,
    set(user) {
      try {
        if (user === null) storage?.removeItem(key);
        else storage?.setItem(key, user);
      } catch {
        // Full, or forbidden: then a page without a network waits for one.
      }
    },
  };
}

function openSocket(): Socket {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return asSocket(new WebSocket(url, SUBPROTOCOL));
}

function asSocket(webSocket: WebSocket): Socket {
  const socket: Socket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (data) => webSocket.send(data),
    close: (code) => webSocket.close(code),
  };
  webSocket.onopen = () => socket.onopen?.();
  webSocket.onmessage = ({ data }) => socket.onmessage?.({ data });
  webSocket.onclose = ({ code }) => socket.onclose?.({ code });
  return socket;
}

function openChannel(name: string): BroadcastChannel | null {
  return 'BroadcastChannel' in globalThis ? new BroadcastChannel(name) : null;
}

async function probe(): Promise<boolean> {
  const answer = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  return answer.ok;
}

function passOnWhatTheBrowserSays(session: Session): void {
  const cameBack = () => {
    if (document.visibilityState !== 'visible') return;
    if (session.phase.name === 'signed_in') session.phase.client.tabCameBack();
    else void session.restore();
  };
  const leaving = () => {
    if (document.visibilityState === 'visible' || session.phase.name !== 'signed_in') return;
    session.phase.client.tabLeft();
  };
  const network = (there: boolean) => () => {
    if (session.phase.name === 'signed_in') session.phase.client.network(there);
    else if (there) void session.restore();
  };
  document.addEventListener('visibilitychange', cameBack);
  document.addEventListener('visibilitychange', leaving);
  window.addEventListener('pageshow', (event) => event.persisted && cameBack());
  window.addEventListener('online', network(true));
  window.addEventListener('offline', network(false));
}
