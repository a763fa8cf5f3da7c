import { Children, memo, type ReactNode } from 'react';
import { useClient } from '../../../hooks/client.ts';
import { CodeBlock } from '../code/CodeBlock.tsx';
import { Link } from './Link.tsx';
import { Mention } from './Mention.tsx';
import { Spoiler } from './Spoiler.tsx';
import { type Block, type Inline, treeOf } from './tree.ts';
import './text.css';

/** So few emoji and nothing else are what somebody says, and are drawn larger. */
const FEW_EMOJI = /^\s*(?:\p{RGI_Emoji}\s*){1,3}$/v;
const MAX_FEW_EMOJI_UNITS = 120;

interface TextProps {
  text: string;
  /** Whom the server says that it mentions; what else looks like a mention is text. */
  mentions?: readonly string[];
  mentionsRoom?: boolean;
  /** Somebody who is mentioned was pressed. */
  onPerson?: ((handle: string) => void) | undefined;
}

/** What a message says: never more than elements of ours with its words in them. */
export const Text = memo(function Text({ text, mentions, mentionsRoom, onPerson }: TextProps) {
  const { me } = useClient();
  const large = text.length <= MAX_FEW_EMOJI_UNITS && FEW_EMOJI.test(text);
  const mention = (written: string, handle: string): ReactNode => {
    if (handle === 'room')
      return mentionsRoom === true ? <Mention text={written} handle={null} mine /> : written;
    if (mentions?.includes(handle) !== true) return written;
    return (
      <Mention
        text={written}
        handle={handle}
        mine={handle === me}
        press={onPerson && (() => onPerson(handle))}
      />
    );
  };
  // Another text is another message: a spoiler that was opened is closed again.
  return (
    <div key={text} className={large ? 'text text-emoji' : 'text'}>
      {blocks(treeOf(text), mention)}
    </div>
  );
});

type MentionOf = (written: string, handle: string) => ReactNode;

function blocks(tree: readonly Block[], mention: MentionOf): ReactNode {
  return Children.toArray(tree.map((block) => drawn(block, mention)));
}

function drawn(block: Block, mention: MentionOf): ReactNode {
  switch (block.kind) {
    case 'paragraph':
      return <p>{inlines(block.inline, mention)}</p>;
    case 'heading':
      return (
        <p>
          <strong>{inlines(block.inline, mention)}</strong>
        </p>
      );
    case 'quote':
      return <blockquote dir="auto">{blocks(block.blocks, mention)}</blockquote>;
    case 'list': {
      const items = Children.toArray(block.items.map((item) => itemOf(item, mention)));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case 'code':
      return <CodeBlock language={block.language} text={block.text} />;
  }
}

function itemOf(item: readonly Block[], mention: MentionOf): ReactNode {
  return <li dir="auto">{blocks(item, mention)}</li>;
}

function inlines(tree: readonly Inline[], mention: MentionOf): ReactNode {
  return Children.toArray(tree.map((inline) => written(inline, mention)));
}

function written(inline: Inline, mention: MentionOf): ReactNode {
  switch (inline.kind) {
    case 'text':
      return inline.text;
    case 'code':
      return <code dir="ltr">{inline.text}</code>;
    case 'strong':
      return <strong>{inlines(inline.inline, mention)}</strong>;
    case 'em':
      return <em>{inlines(inline.inline, mention)}</em>;
    case 'strike':
      return <s>{inlines(inline.inline, mention)}</s>;
    case 'spoiler':
      return <Spoiler>{inlines(inline.inline, mention)}</Spoiler>;
    case 'link':
      return (
        <Link href={inline.href} where={inline.where}>
          {inlines(inline.inline, mention)}
        </Link>
      );
    case 'mention':
      return mention(inline.text, inline.handle);
  }
}
