/** Carries out what `reduce` decides, over a socket, timers and HTTP that are handed in. */
import type { Environment } from '../environment.ts';
import { type ClientFrame, decodeFrames, encodeFrame, MalformedFrames, type ServerFrame } from '../frames.ts';
import { reduce } from './reduce.ts';
import {
  type Connection,
  type ConnectionEvent,
  type Effect,
  initialConnection,
  isLive,
  type TimerName,
} from './state.ts';

/** As much of a WebSocket as is used here. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export interface Surroundings {
  environment: Environment;
  openSocket(): Socket;
  /** Starts a refresh; its outcome comes back as a `token_…` event. */
  refreshToken(): void;
  /** Resolves to whether the server answers at all. */
  probe(): Promise<boolean>;
}

export class ConnectionDriver {
  readonly #around: Surroundings;
  #connection: Connection = initialConnection;
  #socket: Socket | null = null;
  readonly #timers = new Map<TimerName, () => void>();
  readonly #waiting: ConnectionEvent[] = [];
  #working = false;
  readonly #onChange = new Set<(connection: Connection) => void>();
  readonly #onFrame = new Set<(frame: ServerFrame) => void>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get connection(): Connection {
    return this.#connection;
  }

  onChange(listener: (connection: Connection) => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }

  /** Frames of the session in their order: `welcome`, `caught_up`, `reset`, events and answers. */
  onFrame(listener: (frame: ServerFrame) => void): () => void {
    this.#onFrame.add(listener);
    return () => this.#onFrame.delete(listener);
  }

  /** False when there is no live session to say it in. */
  send(frame: ClientFrame): boolean {
    if (!isLive(this.#connection) || this.#socket === null) return false;
    this.#socket.send(encodeFrame(frame));
    return true;
  }

  /** Events are taken one by one, also those that come while another one is carried out. */
  dispatch(event: ConnectionEvent): void {
    this.#waiting.push(event);
    if (this.#working) return;
    this.#working = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.#take(next);
    } finally {
      this.#working = false;
    }
  }

  #take(event: ConnectionEvent): void {
    const { environment } = this.#around;
    const before = this.#connection;
    const [after, effects] = reduce(before, event, { now: environment.now(), random: environment.random() });
    this.#connection = after;
    for (const effect of effects) this.#carryOut(effect);
    if (after.phase !== before.phase) for (const listener of this.#onChange) listener(after);
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'refresh_token':
        this.#around.refreshToken();
        break;
      case 'open_socket':
        this.#open();
        break;
      case 'drop_socket':
        this.#drop();
        break;
      case 'send':
        this.#socket?.send(encodeFrame(effect.frame));
        break;
      case 'deliver':
        for (const listener of this.#onFrame) listener(effect.frame);
        break;
      case 'set_timer':
        this.#setTimer(effect.name, effect.ms);
        break;
      case 'cancel_timers':
        for (const cancel of this.#timers.values()) cancel();
        this.#timers.clear();
        break;
      case 'probe':
        this.#around.probe().then(
          (reached) => this.dispatch({ type: 'probe_answered', reached }),
          () => this.dispatch({ type: 'probe_answered', reached: false }),
        );
        break;
    }
  }

  #open(): void {
    let socket: Socket;
    try {
      socket = this.#around.openSocket();
    } catch {
      this.dispatch({ type: 'closed', code: 1006 });
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.dispatch({ type: 'opened' });
    socket.onmessage = (event) => this.#read(socket, event.data);
    socket.onclose = (event) => {
      this.#forget(socket);
      this.dispatch({ type: 'closed', code: event.code });
    };
  }

  /** FRM1: one text message, several frames. What precedes a fault counts. */
  #read(socket: Socket, data: unknown): void {
    let frames: ServerFrame[];
    let garbled = false;
    try {
      if (typeof data !== 'string') throw new MalformedFrames('not text', []);
      frames = decodeFrames(data);
    } catch (error) {
      if (!(error instanceof MalformedFrames)) throw error;
      frames = error.before;
      garbled = true;
    }
    for (const frame of frames) {
      // A frame can end the session; what follows it in the same message belongs to nobody.
      if (this.#socket !== socket) return;
      this.dispatch({ type: 'frame', frame });
    }
    if (garbled && this.#socket === socket) this.dispatch({ type: 'garbled' });
  }

  #drop(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#forget(socket);
    socket.close(1000);
  }

  #forget(socket: Socket): void {
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    if (this.#socket === socket) this.#socket = null;
  }

  #setTimer(name: TimerName, ms: number): void {
    this.#timers.get(name)?.();
    this.#timers.set(
      name,
      this.#around.environment.after(ms, () => {
        this.#timers.delete(name);
        this.dispatch({ type: 'timer', name });
      }),
    );
  }
}
