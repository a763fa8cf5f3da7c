import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

const PAGE = '/';
const WORKER = '/sw.js';

/** An HTTP proxy in front of Natter that can bring out a new version of the page: other bytes, and a worker that knows them. */
export class Front {
  readonly url: string;
  readonly #server: Server;
  readonly #natter: URL;
  readonly #sockets = new Set<Socket>();
  #version = 1;

  private constructor(server: Server, natter: URL) {
    this.#server = server;
    this.#natter = natter;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(url: string): Promise<Front> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const front = new Front(server, new URL(url));
    server.on('request', (asked, answer) => void front.#answer(asked, answer));
    server.on('upgrade', (asked: IncomingMessage, near: Socket) => front.#upgrade(asked, near));
    server.on('connection', (socket) => {
      front.#sockets.add(socket);
      socket.on('close', () => front.#sockets.delete(socket));
    });
    return front;
  }

  /** From now on the page and its worker are of the next version. */
  release(): void {
    this.#version += 1;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const path = asked.url ?? PAGE;
    if (asked.method === 'GET' && (path === PAGE || path === WORKER)) {
      const [kind, policy, text] = await this.#versioned(path);
      answer.writeHead(200, {
        'Content-Type': kind,
        'Content-Security-Policy': policy,
        'Cache-Control': 'no-cache',
      });
      answer.end(text);
      return;
    }
    const { hostname, port } = this.#natter;
    const onward = request({ hostname, port, path, method: asked.method, headers: asked.headers }, (far) => {
      answer.writeHead(far.statusCode ?? 502, far.headers);
      far.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  }

  async #versioned(path: string): Promise<[kind: string, policy: string, text: string]> {
    const answer = await fetch(new URL(path, this.#natter));
    const said = await answer.text();
    const headers = ['Content-Type', 'Content-Security-Policy'].map((name) => answer.headers.get(name) ?? '');
    const [kind = '', policy = ''] = headers;
    if (path === PAGE) return [kind, policy, this.#marked(said)];
    const page = await (await fetch(new URL(PAGE, this.#natter))).text();
    return [kind, policy, said.replaceAll(hashOf(page), hashOf(this.#marked(page)))];
  }

  #marked(page: string): string {
    return page.replace('</head>', `<meta name="version" content="${this.#version}" /></head>`);
  }

  #upgrade(asked: IncomingMessage, near: Socket): void {
    const far = connect(Number(this.#natter.port), this.#natter.hostname, () => {
      const lines = [`GET ${asked.url} HTTP/1.1`];
      for (let n = 0; n < asked.rawHeaders.length; n += 2)
        lines.push(`${asked.rawHeaders[n]}: ${asked.rawHeaders[n + 1]}`);
      far.write(`${lines.join('\r\n')}\r\n\r\n`);
      far.pipe(near).pipe(far);
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
