/** The page's own client without a page: what a person does where there is nothing to click yet. */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { Auth } from '../../src/net/auth.ts';
import type { Socket } from '../../src/net/connection/driver.ts';
import { browserEnvironment } from '../../src/net/environment.ts';
import { SUBPROTOCOL } from '../../src/net/frames.ts';
import { History } from '../../src/net/history.ts';
import { Http } from '../../src/net/http.ts';
import { noKeep } from '../../src/outbox/database.ts';
import { MemoryStorage } from '../../src/outbox/storage.ts';
import { Client } from '../../src/sync/client.ts';
import { eventually } from './eventually.ts';
import { PASSWORD } from './person/account.ts';

export interface Someone {
  client: Client;
  history: History;
}

/** Another device of somebody who has a page. */
export function deviceOf({ handle }: { handle: string }): Promise<Someone> {
  return someone(handle, { client: { me: handle } });
}

/** Somebody new with a live session, or another device of somebody. */
export async function someone(name: string, as?: { client: { me: string } }): Promise<Someone> {
  const url = inject('natterUrl');
  // Nothing is drawn.
  const environment = { ...browserEnvironment, frame: (fire: () => void) => void setTimeout(fire, 0) };
  const http = new Http(environment, (path, init) => fetch(new URL(path, url), init));
  const auth = new Auth(http, environment);
  const me =
    as === undefined
      ? await auth.register(`${name}-${randomBytes(3).toString('hex')}`, PASSWORD, '')
      : await auth.login(as.client.me, PASSWORD);
  const history = new History(http, auth);
  const tab = randomBytes(3).toString('hex');
  const client = new Client({
    ...{ me, auth, history, environment, keep: noKeep },
    openSocket: () => socketTo(url),
    probe: () => Promise.resolve(true),
    storage: Promise.resolve(new MemoryStorage()),
    tabs: { id: tab, living: () => Promise.resolve(new Set([tab])), onEnd: () => () => {}, close() {} },
    fillRandom: (bytes) => void crypto.getRandomValues(bytes),
  });
  client.start();
  await eventually(() => client.connection.phase.name, 'live');
  await eventually(() => client.store.state.list.status, 'done');
  return { client, history };
}

function socketTo(url: string): Socket {
  const address = new URL('/ws', url);
  address.protocol = 'ws:';
  const webSocket = new WebSocket(address, SUBPROTOCOL);
  const socket: Socket = {
    ...{ onopen: null, onmessage: null, onclose: null },
    send: (data) => webSocket.send(data),
    close: (code) => webSocket.close(code),
  };
  webSocket.onopen = () => socket.onopen?.();
  webSocket.onmessage = ({ data }) => socket.onmessage?.({ data });
  webSocket.onclose = ({ code }) => socket.onclose?.({ code });
  return socket;
}
