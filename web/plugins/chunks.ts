/**
 * What is loaded at once is two files, what the login needs and what the chat has beyond that: without it a part that comes
 * later would tear out of them whatever it shares with them, and many small files compress badly.
 */
import { fileURLToPath } from 'node:url';

interface Modules {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}

const LOGIN = fileURLToPath(new URL('../src/main.tsx', import.meta.url));
const CHAT = fileURLToPath(new URL('../src/app/Chat.tsx', import.meta.url));

/** For `codeSplitting.groups`: the file that a module goes to, null where that is left to the bundler. */
export function firstLoad(): (id: string, modules: Modules) => string | null {
  const under = new Map<string, ReadonlySet<string>>();
  const isUnder = (entry: string, id: string, modules: Modules) => {
    const all = under.get(entry) ?? importedBy(entry, modules);
    under.set(entry, all);
    return id !== entry && all.has(id);
  };
  return (id, modules) => {
    if (isUnder(LOGIN, id, modules)) return 'login';
    return isUnder(CHAT, id, modules) ? 'chat' : null;
  };
}

/** With all that these import in turn; not what they ask for later. */
function importedBy(entry: string, modules: Modules): ReadonlySet<string> {
  const found = new Set<string>();
  const next = [entry];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    next.push(...(modules.getModuleInfo(id)?.importedIds ?? []));
  }
  return found;
}
