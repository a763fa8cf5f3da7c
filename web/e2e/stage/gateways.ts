/** One Natter with two gateways: its own, and a second one as a process of its own. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Balancer } from './balancer.ts';
import { Natter } from './natter.ts';
import type { Person } from './person.ts';
import { Program, RESULTS } from './program.ts';

const READY = /^The gateway listens on http:\/\/[^\s/]*:(\d+)\s*$/m;

/** What the two call themselves to clients. */
export const FIRST = 'first';
export const SECOND = 'second';

export class Gateways {
  /** Where people come in who are sent to the first gateway. */
  readonly first: string;
  /** Where people come in who are sent to the second gateway, and to the first one while that is gone. */
  readonly second: string;
  readonly #natter: Natter;
  readonly #balancers: readonly Balancer[];
  readonly #flags: readonly string[];
  readonly #log: string;
  #program: Program;
  #killed = false;

  private constructor(
    natter: Natter,
    program: Program,
    balancers: readonly [Balancer, Balancer],
    flags: readonly string[],
    log: string,
  ) {
    this.#natter = natter;
    this.#program = program;
    this.#balancers = balancers;
    this.#flags = flags;
    this.#log = log;
    [this.first, this.second] = [balancers[0].url, balancers[1].url];
  }

  /** The flags are those of a gateway: they hold for both. */
  static async start(name: string, flags: readonly string[] = []): Promise<Gateways> {
    const log = join(RESULTS, `natter-${name}-second.log`);
    rmSync(log, { force: true });
    const natter = await Natter.start(name, ['--gateway-name', FIRST, ...flags]);
    try {
      const program = await run(natter, log, 0, flags);
      const urls = [natter.url, `http://127.0.0.1:${program.port}`] as const;
      const first = await Balancer.to([urls[0]], natter.url);
      const second = await Balancer.to([urls[1], urls[0]], natter.url);
      return new Gateways(natter, program, [first, second], flags, log);
    } catch (error) {
      await natter.end();
      throw error;
    }
  }

  /** The second gateway goes as when its machine goes: nothing is said, nothing is finished. */
  killSecond(): Promise<void> {
    this.#killed = true;
    return this.#program.kill();
  }

  async startSecondAgain(): Promise<void> {
    this.#program = await run(this.#natter, this.#log, this.#program.port, this.#flags);
    this.#killed = false;
  }

  async end(): Promise<void> {
    await Promise.all(this.#balancers.map((balancer) => balancer.close()));
    try {
      if (!this.#killed) await this.#program.stop();
    } finally {
      await this.#natter.end();
    }
  }
}

/** The gateways of a tab's sessions, one after the other, as each called itself in its `welcome`. */
export function gatewaysOf({ sessions }: Person): unknown[] {
  return sessions.flatMap(({ received }) =>
    received.filter(({ type }) => type === 'welcome').map(({ gateway }) => gateway),
  );
}

function run(natter: Natter, log: string, port: number, flags: readonly string[]): Promise<Program> {
  const { nats_url, nats_user, nats_password, keys } = natter.engines;
  const options = {
    listen: `127.0.0.1:${port}`,
    'gateway-name': SECOND,
    'signing-key': join(keys, 'signing.pem'),
    'master-key': join(keys, 'master.key'),
    'history-url': natter.url,
    'nats-url': nats_url,
    'nats-user': nats_user,
    'nats-password': nats_password,
  };
  const args = ['gateway', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
  return Program.start({ args: [...args, ...flags], ready: READY, folder: tmpdir(), log });
}
