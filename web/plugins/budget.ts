/** What a visitor downloads, compressed, and the most that it may be: `budget.json`. A build that is over it fails. */
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';
import limits from '../budget.json' with { type: 'json' };

type Bundle = Rolldown.OutputBundle;
type Part = keyof typeof limits;

interface File {
  readonly name: string;
  readonly part: Part;
  readonly bytes: number;
}

/** Loaded at once with the entry: what stands behind the login. */
const AT_ONCE = /\/src\/app\/Chat\.tsx$/;

const NAMES: Record<Part, string> = {
  firstLoadScriptsKiB: 'scripts of the first load',
  firstLoadStylesKiB: 'styles of the first load',
  lazyKiB: 'everything that is loaded later',
};

export function budget(): Plugin {
  return {
    name: 'natter-budget',
    apply: 'build',
    // When the names are final and the styles have files of their own.
    writeBundle(_, bundle) {
      const files = weigh(bundle);
      const over: string[] = [];
      for (const part of Object.keys(limits) as Part[]) {
        const own = files.filter((file) => file.part === part);
        const sum = `${NAMES[part]}: ${kib(sumOf(own))} of ${limits[part]} KiB compressed`;
        this.info([sum, ...own.map(({ name, bytes }) => `  ${kib(bytes).padStart(6)}  ${name}`)].join('\n'));
        if (sumOf(own) > limits[part] * 1024) over.push(sum);
      }
      if (over.length > 0) this.error(`over the budget (budget.json): ${over.join('; ')}`);
    },
  };
}

/** Scripts and styles, each with the part of the budget that it counts for. */
function weigh(bundle: Bundle): File[] {
  const first = firstLoad(bundle);
  return Object.values(bundle)
    .filter(({ fileName }) => /\.(js|css)$/.test(fileName))
    .map((file) => ({
      name: file.fileName,
      part: partOf(file.fileName, first),
      bytes: gzipSync(file.type === 'chunk' ? file.code : file.source).length,
    }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

/** The entry, the chat, what these import at once, and the styles of all of them. */
function firstLoad(bundle: Bundle): ReadonlySet<string> {
  const files = new Set<string>();
  const take = (name: string) => {
    const file = bundle[name];
    if (files.has(name) || file?.type !== 'chunk') return;
    files.add(name);
    for (const style of file.viteMetadata?.importedCss ?? []) files.add(style);
    for (const imported of file.imports) take(imported);
  };
  for (const file of Object.values(bundle))
    if (file.type === 'chunk' && (file.isEntry || AT_ONCE.test(file.facadeModuleId ?? '')))
      take(file.fileName);
  return files;
}

function partOf(name: string, first: ReadonlySet<string>): Part {
  if (!first.has(name)) return 'lazyKiB';
  return name.endsWith('.css') ? 'firstLoadStylesKiB' : 'firstLoadScriptsKiB';
}

function sumOf(files: readonly File[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}
