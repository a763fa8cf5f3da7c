/** Colours for code: a chunk of its own, which is only read when somebody shows code in a language that has a name. */
import { common, createLowlight } from 'lowlight';

/** Text, or a part that has a meaning in its language. */
export type Coloured = string | { className: string; parts: readonly Coloured[] };

const lowlight = createLowlight(common);

/** Null for a language that is not known here. */
export function colouredCode(language: string, text: string): readonly Coloured[] | null {
  return lowlight.registered(language) ? lowlight.highlight(language, text).children.flatMap(partOf) : null;
}

type Node = ReturnType<typeof lowlight.highlight>['children'][number];

function partOf(node: Node): Coloured[] {
  if (node.type === 'text') return [node.value];
  if (node.type !== 'element') return [];
  const { className } = node.properties;
  return [
    { className: Array.isArray(className) ? className.join(' ') : '', parts: node.children.flatMap(partOf) },
  ];
}
