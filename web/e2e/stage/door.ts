import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of Natter: the cable that a story can pull, or damage in one direction. */
export class Door {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = true;
  #answersLost = false;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(url: string): Promise<Door> {
    const port = Number(new URL(url).port);
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const door = new Door(server);
    server.on('connection', (near) => door.#through(near, port));
    return door;
  }

  /** Every connection breaks off, and no new one comes about. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** What people say still arrives; what Natter says to them is lost from here on, until all is cut. */
  loseAnswers(): void {
    this.#answersLost = true;
  }

  mend(): void {
    this.#open = true;
    this.#answersLost = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }

  #through(near: Socket, port: number): void {
    if (!this.#open) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('data', (bytes: Buffer) => {
        if (socket === far && this.#answersLost) return;
        if (!other.write(bytes)) socket.pause();
      });
      other.on('drain', () => socket.resume());
      socket.on('end', () => other.end());
      // What one side says with a reset, the other side hears by the close below.
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
