/** The real program, as a process: started, ready, and gone in order or not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const READY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 30_000;
const LOG_LINES_SHOWN = 40;

const web = fileURLToPath(new URL('../..', import.meta.url));

/** What a failed run leaves to look at: logs and screenshots. */
export const RESULTS = join(web, 'test-results');

export interface Call {
  readonly args: readonly string[];
  /** The line that says that it is ready; its first group is the port. */
  readonly ready: RegExp;
  readonly folder: string;
  readonly log: string;
}

export class Program {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #call: Call;

  private constructor(port: number, child: ChildProcess, call: Call) {
    this.port = port;
    this.#child = child;
    this.#call = call;
  }

  static async start(call: Call): Promise<Program> {
    mkdirSync(dirname(call.log), { recursive: true });
    const output = openSync(call.log, 'a');
    // In a folder of its own, so that no natter.toml of somebody's is read.
    const child = spawn(executable(), call.args, {
      cwd: call.folder,
      env: { ...process.env, ...tools() },
      stdio: ['ignore', 'pipe', output],
    });
    closeSync(output);
    const killIt = () => child.kill('SIGKILL');
    process.once('exit', killIt);
    child.once('exit', () => process.off('exit', killIt));
    try {
      return new Program(await portOf(child, call), child, call);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** As when the machine takes it: nothing is said, nothing is finished. */
  async kill(): Promise<void> {
    const gone = exitOf(this.#child);
    this.#child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    const gone = exitOf(this.#child);
    this.#child.kill('SIGTERM');
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    const { code, signal } = await gone;
    clearTimeout(impatient);
    if (code !== 0) throw fault(this.#call, `did not stop in order: ${signal ?? `exit code ${code}`}`);
  }
}

function portOf(child: ChildProcess, call: Call): Promise<number> {
  return new Promise((resolvePromise, reject) => {
    const fail = (what: string) => reject(fault(call, what));
    const impatient = setTimeout(() => fail(`was not ready in ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const port = call.ready.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(impatient);
      resolvePromise(Number(port));
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

function executable(): string {
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

function fault({ args, log }: Call, what: string): Error {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  return new Error(`natter ${args[0]} ${what}\n${lines.slice(-LOG_LINES_SHOWN).join('\n')}`);
}
