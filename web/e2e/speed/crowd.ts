/** Somebody who says very much: over a real socket, from a page of their own, many messages on the way at once. */
import { Uuid7 } from '../../src/outbox/uuid7.ts';
import { Api } from '../stage/api.ts';
import type { Person } from '../stage/person.ts';

/** Messages without an answer: enough to keep the gateway busy, few enough for it to keep up. */
const WINDOW = 400;

export interface Said {
  readonly conversation: string;
  readonly texts: readonly string[];
  /** Messages a second; without it, as many as there can be. */
  readonly rate?: number;
}

/** Says all of it and returns when the last one is in the log: with the time when the last one left, by the machine's clock. */
export async function sayAll(person: Person, url: string, said: Said): Promise<number> {
  const { token } = await Api.of(person, url);
  const uuid = new Uuid7((bytes) => void crypto.getRandomValues(bytes));
  const page = await person.context.newPage();
  try {
    await page.goto(`${url}/favicon.svg`);
    let lastLeft = 0;
    // Ids are good for a minute: they are made portion by portion.
    const portion = Math.min(said.texts.length, (said.rate ?? 500) * 20);
    for (let from = 0; from < said.texts.length; from += portion) {
      const texts = said.texts.slice(from, from + portion);
      const ids = texts.map(() => uuid.make(Date.now()));
      lastLeft = await page.evaluate(speak, { ...said, texts, ids, token, window: WINDOW });
    }
    return lastLeft;
  } finally {
    await page.close();
  }
}

interface Speech extends Said {
  readonly ids: readonly string[];
  readonly token: string;
  readonly window: number;
}

/** In the page. */
function speak({ conversation, texts, ids, token, window, rate }: Speech): Promise<number> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`, 'natter.v1.json');
    const to = { conversation };
    let [next, answered, lastLeft, begun] = [0, 0, 0, 0];
    const frame = (n: number) => JSON.stringify({ type: 'send', ref: n, id: ids[n], to, text: texts[n] });
    const send = () => {
      const due = rate === undefined ? texts.length : ((performance.now() - begun) / 1000) * rate;
      const end = Math.min(texts.length, answered + window, Math.floor(due));
      if (end <= next) return;
      socket.send(Array.from({ length: end - next }, (_, n) => frame(next + n)).join('\n'));
      next = end;
      lastLeft = Date.now();
    };
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', token }));
    socket.onclose = ({ code }) => fail(new Error(`the socket was closed with ${code}`));
    socket.onmessage = ({ data }) => {
      for (const line of String(data).split('\n')) {
        if (line === '') continue;
        const told = JSON.parse(line);
        if (told.type === 'welcome') {
          begun = performance.now();
          if (rate !== undefined) setInterval(send, 10);
        }
        if (told.type === 'ping') socket.send(JSON.stringify({ type: 'pong', position: told.position }));
        if (told.type === 'error') fail(new Error(line));
        if (told.type === 'ok') answered += 1;
      }
      if (rate === undefined && begun > 0) send();
      if (answered === texts.length) {
        socket.onclose = null;
        socket.close();
        done(lastLeft);
      }
    };
  });
}
