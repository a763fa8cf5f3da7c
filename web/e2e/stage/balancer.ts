import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What stands in front of several gateways: pages of history go to one place, all else to the first that is there. */
export class Balancer {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(gateways: readonly string[], history: string): Promise<Balancer> {
    const far = ({ url = '/' }: IncomingMessage) =>
      firstThere(url.startsWith('/history/') ? [history] : gateways);
    const server = createServer((asked, answer) => {
      far(asked).then(
        (socket) => pass(asked, answer, socket),
        () => answer.writeHead(502).end(),
      );
    });
    server.on('upgrade', (asked, near, head) => {
      far(asked).then(
        (socket) => upgrade(asked, near, head, socket),
        () => near.destroy(),
      );
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const balancer = new Balancer(server);
    server.on('connection', (socket) => {
      balancer.#sockets.add(socket);
      socket.on('close', () => balancer.#sockets.delete(socket));
    });
    return balancer;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

async function firstThere(urls: readonly string[]): Promise<Socket> {
  for (const url of urls) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const there = await new Promise<boolean>((known) => {
      socket.once('connect', () => known(true));
      socket.on('error', () => known(false));
    });
    if (there) return socket;
  }
  throw new Error('no gateway is there');
}

function pass(asked: IncomingMessage, answer: ServerResponse, socket: Socket): void {
  const { method, url: path, headers } = asked;
  const passed = request({ createConnection: () => socket, method, path, headers }, (told) => {
    answer.writeHead(told.statusCode ?? 502, told.headers);
    told.pipe(answer);
    told.on('error', () => answer.destroy());
  });
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}

function upgrade(asked: IncomingMessage, near: Duplex, head: Buffer, far: Socket): void {
  const names = asked.rawHeaders.filter((_, n) => n % 2 === 0);
  const lines = names.map((name, n) => `${name}: ${asked.rawHeaders[2 * n + 1]}\r\n`);
  far.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
  far.write(head);
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    socket.pipe(other);
    socket.on('error', () => {});
    socket.on('close', () => other.destroy());
  }
}
