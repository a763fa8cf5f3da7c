/** The real program with its real engines: started, killed, started again, and gone at the end. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const READY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 30_000;
const LOG_LINES_SHOWN = 40;

const web = fileURLToPath(new URL('../..', import.meta.url));

/** What a failed run leaves to look at: logs and screenshots. */
export const RESULTS = join(web, 'test-results');

export class Natter {
  readonly url: string;
  readonly #folder: string;
  readonly #log: string;
  readonly #flags: readonly string[];
  #child: ChildProcess;

  private constructor(
    url: string,
    folder: string,
    log: string,
    flags: readonly string[],
    child: ChildProcess,
  ) {
    this.url = url;
    this.#folder = folder;
    this.#log = log;
    this.#flags = flags;
    this.#child = child;
  }

  /** A new one with data of its own, on a port of its own. */
  static async start(name: string, flags: readonly string[] = []): Promise<Natter> {
    mkdirSync(RESULTS, { recursive: true });
    const folder = mkdtempSync(join(tmpdir(), 'natter-e2e-'));
    // As root, PostgreSQL runs as another user, who has to get to its data.
    chmodSync(folder, 0o711);
    const log = join(RESULTS, `natter-${name}.log`);
    rmSync(log, { force: true });
    try {
      const { child, url } = await run(['--listen', '127.0.0.1:0', ...flags], folder, log);
      return new Natter(url, folder, log, flags, child);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** As when the machine takes it: nothing is said, nothing is finished. */
  async kill(): Promise<void> {
    const gone = exitOf(this.#child);
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** The same data, on the same port. */
  async startAgain(): Promise<void> {
    const { child } = await run(
      ['--listen', `127.0.0.1:${this.port}`, ...this.#flags],
      this.#folder,
      this.#log,
    );
    this.#child = child;
  }

  /** Stops it in order, and takes its data away. */
  async end(): Promise<void> {
    const child = this.#child;
    const gone = exitOf(child);
    child.kill('SIGTERM');
    const impatient = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    const { code, signal } = await gone;
    clearTimeout(impatient);
    rmSync(this.#folder, { recursive: true, force: true });
    if (code !== 0) {
      throw new Error(
        `natter up did not stop in order: ${signal ?? `exit code ${code}`}\n${endOf(this.#log)}`,
      );
    }
  }
}

async function run(
  flags: readonly string[],
  folder: string,
  log: string,
): Promise<{ child: ChildProcess; url: string }> {
  const output = openSync(log, 'a');
  // In the temporary folder, so that no natter.toml of somebody's is read.
  const child = spawn(program(), ['up', '--data', join(folder, 'data'), ...flags], {
    cwd: folder,
    env: { ...process.env, ...tools() },
    stdio: ['ignore', 'pipe', output],
  });
  closeSync(output);
  const killIt = () => child.kill('SIGKILL');
  process.once('exit', killIt);
  child.once('exit', () => process.off('exit', killIt));
  try {
    return { child, url: await readyLine(child, log) };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function readyLine(child: ChildProcess, log: string): Promise<string> {
  return new Promise((resolvePromise, reject) => {
    const fail = (what: string) => reject(new Error(`natter up ${what}\n${endOf(log)}`));
    const impatient = setTimeout(() => fail(`was not ready in ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const port = /^Natter is ready: open http:\/\/[^\s/]*:(\d+)\s*$/m.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(impatient);
      resolvePromise(`http://127.0.0.1:${port}`);
    });
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      clearTimeout(impatient);
      fail(`ended before it was ready: ${signal ?? `exit code ${code}`}`);
    });
  });
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const { exitCode: code, signalCode: signal } = child;
  if (code !== null || signal !== null) return Promise.resolve({ code, signal });
  return new Promise((resolvePromise) =>
    child.once('exit', (code, signal) => resolvePromise({ code, signal })),
  );
}

function program(): string {
  const path = resolve(web, process.env.NATTER_BINARY ?? '../target/debug/natter');
  if (!existsSync(path))
    throw new Error(`there is no ${path}: run \`cargo build -p natter\`, or set NATTER_BINARY`);
  return path;
}

/** The repository's engines, also for a program that was built into another folder. */
function tools(): { NATTER_TOOLS?: string } {
  const folder = resolve(web, '../.tools');
  return process.env.NATTER_TOOLS === undefined && existsSync(folder) ? { NATTER_TOOLS: folder } : {};
}

function endOf(log: string): string {
  if (!existsSync(log)) return '';
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
}
