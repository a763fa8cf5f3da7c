/** A whole Natter with its engines: started, killed, started again, and gone at the end. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, RESULTS } from './program.ts';

const READY = /^Natter is ready: open http:\/\/[^\s/]*:(\d+)\s*$/m;

/** Where its engines can be reached, and with which names and keys: what another process needs to join in. */
export interface Engines {
  readonly nats_url: string;
  readonly nats_user: string;
  readonly nats_password: string;
  readonly keys: string;
}

export class Natter {
  readonly #folder: string;
  readonly #log: string;
  readonly #flags: readonly string[];
  #program: Program;

  private constructor(folder: string, log: string, flags: readonly string[], program: Program) {
    this.#folder = folder;
    this.#log = log;
    this.#flags = flags;
    this.#program = program;
  }

  /** A new one with data of its own, on a port of its own. */
  static async start(name: string, flags: readonly string[] = []): Promise<Natter> {
    const folder = mkdtempSync(join(tmpdir(), 'natter-e2e-'));
    // As root, PostgreSQL runs as another user, who has to get to its data.
    chmodSync(folder, 0o711);
    const log = join(RESULTS, `natter-${name}.log`);
    rmSync(log, { force: true });
    try {
      return new Natter(folder, log, flags, await run(folder, log, 0, flags));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#program.port}`;
  }

  get engines(): Engines {
    const running = JSON.parse(readFileSync(join(this.#folder, 'data/natter.run'), 'utf8'));
    return { ...running, nats_url: `nats://${running.nats_address}`, keys: join(this.#folder, 'data/keys') };
  }

  kill(): Promise<void> {
    return this.#program.kill();
  }

  /** The same data, on the same port. */
  async startAgain(): Promise<void> {
    this.#program = await run(this.#folder, this.#log, this.#program.port, this.#flags);
  }

  /** Stops it in order, and takes its data away. */
  async end(): Promise<void> {
    try {
      await this.#program.stop();
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

function run(folder: string, log: string, port: number, flags: readonly string[]): Promise<Program> {
  const args = ['up', '--data', join(folder, 'data'), '--listen', `127.0.0.1:${port}`, ...flags];
  return Program.start({ args, ready: READY, folder, log });
}
