import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain } from './plain.ts';
import { type Block, type Inline, treeOf, wordsOf } from './tree.ts';

/** A tree in short: `b` bold, `i` italics, `s` strike, `c` code, `?` spoiler, `@` mention, `→` link. */
function short(blocks: readonly Block[]): string {
  return blocks.map(ofBlock).join(' ¶ ');
}

function ofBlock(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return ofInlines(block.inline);
    case 'heading':
      return `#(${ofInlines(block.inline)})`;
    case 'quote':
      return `>(${short(block.blocks)})`;
    case 'list':
      return `${block.start ?? 'ul'}(${block.items.map(short).join(' | ')})`;
    case 'code':
      return `code:${block.language}(${block.text})`;
  }
}

const LETTERS = { strong: 'b', em: 'i', strike: 's', spoiler: '?', code: 'c', mention: '@' } as const;

function ofInlines(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.kind === 'text') return inline.text;
      if (inline.kind === 'link')
        return `→${inline.href}${inline.where === null ? '' : ` [${inline.where}]`}(${ofInlines(inline.inline)})`;
      return `${LETTERS[inline.kind]}(${'inline' in inline ? ofInlines(inline.inline) : inline.text})`;
    })
    .join('');
}

const read = (text: string) => short(treeOf(text));
const readsAs = (cases: Record<string, string>) => {
  for (const [text, tree] of Object.entries(cases)) expect(read(text), text).toBe(tree);
};
const stays = (...texts: string[]) => {
  for (const text of texts) expect(read(text)).toBe(text);
};

describe('markdown', () => {
  it('of_words', () => {
    readsAs({
      '**bold** *it* _it_ ~~gone~~ `a*b`': 'b(bold) i(it) i(it) s(gone) c(a*b)',
      '***both***': 'i(b(both))',
      '||who **did** it||, and ||where||': '?(who b(did) it), and ?(where)',
      '**a ||b|| c**': 'b(a ?(b) c)',
      '``a ` b``': 'c(a ` b)',
      '\\*not\\* and \\|\\|not\\|\\|': '*not* and ||not||',
    });
  });

  it('of_blocks', () => {
    readsAs({
      '- a\n- b\n  - c\n- d': 'ul(a | b ¶ ul(c) | d)',
      '3. a\n4. b': '3(a | b)',
      '- [ ] milk\n- [x] bread': 'ul(☐ milk | ☑ bread)',
      '```rust\nlet a = 1;\n\n**x**\n```': 'code:rust(let a = 1;\n\n**x**)',
      '```\n<b>\n': 'code:(<b>)',
      'before\n```js {1}\nx\n```\nafter': 'before ¶ code:js(x) ¶ after',
      '> a\n> **b**\n>> c': '>(a\nb(b) ¶ >(c))',
      '# Title\nwords': '#(Title) ¶ words',
      'one\n\n\ntwo': 'one ¶ two',
    });
  });

  it('a_line_that_is_written_is_a_line_that_is_shown', () => {
    stays('one\ntwo\n\tthree', 'two  \nspaces', 'back\\\nslash', 'a\n    b');
  });

  it('who_answers_below_a_quote_or_a_list_is_not_in_it', () => {
    readsAs({ '> you said\nno': '>(you said) ¶ no', '- milk\n- bread\nthanks': 'ul(milk | bread) ¶ thanks' });
  });

  it('what_people_write_without_meaning_it_stays', () => {
    stays(
      'a || b || c, and a||',
      '2 * 3 * 4 = 24, snake_case_name, 5 ~ 6, #1, 3.5',
      'heading?\n---\nno\n===',
      '---',
      '***',
      '|a|b|\n|-|-|\n|1|2|',
      '[x]: words "title"',
      'not [a link] or [a](no-scheme) or ![](x)',
      '    indented',
      ':-) <3 ->  >.<  ;)',
      'C:\\dir & &amp; &lt;b&gt;',
    );
  });

  it('html_is_text', () => {
    stays(
      '<img src=x onerror="alert(1)"><script>alert(2)</script>',
      '<div>\n<p>a</p>\n</div>\n<!-- c --> <?php ?> <![CDATA[x]]>',
      '</textarea><svg/onload=alert(3)>',
    );
    readsAs({ '<b>**a**</b>': '<b>b(a)</b>', '<div>\n**a**\n</div>': '<div>\nb(a)\n</div>' });
  });
});

describe('links', () => {
  it('explicit_bare_and_of_mail', () => {
    readsAs({
      '[the docs](https://example.org/a)': '→https://example.org/a(the docs)',
      'See https://example.org/a_b_c, (http://x.org/a_(b)).':
        'See →https://example.org/a_b_c(https://example.org/a_b_c), (→http://x.org/a_(b)(http://x.org/a_(b))).',
      'www.example.org!': '→https://www.example.org/(www.example.org)!',
      '<https://example.org>': '→https://example.org/(https://example.org)',
      '**https://example.org**': 'b(→https://example.org/(https://example.org))',
      '||https://example.org||': '?(→https://example.org/(https://example.org))',
      'mail ada.l@example.org.': 'mail →mailto:ada.l@example.org(ada.l@example.org).',
      '[**b**](https://example.org)': '→https://example.org/(b(b))',
      '![a cat](https://example.org/cat.png)': '→https://example.org/cat.png(a cat)',
    });
  });

  it('lead_to_the_web_and_to_mail_only', () => {
    stays(
      '[a](javascript:alert(1))',
      '[a](JaVaScRiPt&#58;alert)',
      '[a](data:text/html;base64,PHN)',
      '[a](vbscript:x)',
      '[a](file:///etc/passwd)',
      '[a](blob:https://example.org/x)',
      '[a](//example.org)',
      '<javascript:alert(1)>',
      'javascript:alert(1) ftp://x.org',
    );
    expect(read('[a](mailto:a@b.org?cc=c@d.org&body=x)')).toBe('→mailto:a@b.org(a)');
  });

  it('that_read_like_another_address_say_where_they_lead', () => {
    const where = (text: string) => / \[(.*?)\]\(/.exec(read(text))?.[1] ?? null;
    expect(where('[https://bank.example](https://evil.example/bank.example)')).toBe('evil.example');
    expect(where('[see bank.example for more](https://evil.example)')).toBe('evil.example');
    expect(where('[b\u200bank.ex\u00adample](https://evil.example)')).toBe('evil.example');
    expect(where('[bank．example](https://evil.example)')).toBe('evil.example');
    expect(where('https://bank.example@evil.example/x')).toBe('evil.example');
    expect(where('[bank.example:80@evil.example](https://evil.example)')).toBe('evil.example');
    expect(where('https://gооgle.com/a')).toBe('xn--ggle-55da.com');
    expect(where('https://münchen.de')).toBe('xn--mnchen-3ya.de');
    expect(where('[ada@example.org](mailto:eve@evil.example)')).toBe('eve@evil.example');
    expect(where(`[${'a '.repeat(200)}](https://evil.example)`)).toBe('evil.example');
    for (const honest of [
      '[https://Example.org/a](https://example.org/b)',
      '[www.example.org](https://example.org)',
      '[the docs](https://example.org)',
      '[example.org:8080/x](http://example.org:8080/x)',
      'https://example.org/https://bank.example',
    ])
      expect(where(honest), honest).toBeNull();
  });
});

describe('mentions', () => {
  it('are_what_the_server_takes_for_them', () => {
    readsAs({
      '@ada, (@bob) and\n@Eve-- @cy_2!': '@(@ada), (@(@bob)) and\n@(@Eve)-- @(@cy_2)!',
      '**@ada** @room': 'b(@(@ada)) @(@room)',
      '`@ada` [@bob](https://example.org)': 'c(@ada) →https://example.org/(@bob)',
    });
    stays('a/@bob, @@cy, @ , @é, @x, @', `@${'x'.repeat(40)}`);
  });
});

describe('direction', () => {
  it('is_nobodys_to_turn', () => {
    expect(read('a\u202egpj.exe\u2066 \u200f\u061cb **\u202dx**')).toBe('agpj.exe b b(x)');
    expect(read('`a\u202eb`')).toBe('c(a[U+202E]b)');
    expect(read('```\nif (\u2066admin\u2069)\n```')).toBe('code:(if ([U+2066]admin[U+2069]))');
    expect(read('one\u2028two')).toBe('one\ntwo');
  });
});

describe('plain words', () => {
  it('are_one_line_without_signs', () => {
    expect(plain('# Plan\n\n- **milk**\n- [bread](https://example.org)\n\n> `so`\n> it is')).toBe(
      'Plan • milk • bread “so it is”',
    );
    expect(plain('```js\nlet a;\nlet b;\n```')).toBe('let a; let b;');
    expect(plain('[bank.example](https://evil.example)')).toBe('bank.example (evil.example)');
  });

  it('never_give_a_spoiler_away_also_where_it_is_cut', () => {
    expect(plain('It was ||the **butler**||!')).toBe('It was ▇▇▇!');
    expect(plain('It was ||the **butl')).toBe('It was ▇▇▇');
    expect(plain('a || b')).toBe('a || b');
  });

  it('are_bounded', () => {
    expect(plain('word '.repeat(1000)).length).toBeLessThanOrEqual(301);
  });
});

/** Twice what the server takes: what looks at each sign more than a few times takes seconds for it, and what does not 25 ms. */
const NASTY_LENGTH = 16_000;
const NO_TIME_MS = 400;
const SIGNS =
  '* ** _ ~~ ` `` ``` [ ]( ](a) ) ![ < > || | a \\ http://a www. @ a@ a. # ( " ! . - = & 👍 ש {} \u202e'
    .split(' ')
    .concat([' ', '  ', '    ', '\t', '\n', '\n\n', '> ', '- ', '1. ', '# ', '~~~\n', '```\n']);
const NASTY = [
  ...SIGNS,
  ...['*a', '*a **a ', ' _a', '*_a', '[a](', '![[', '[a', '- a\n', '> - ', '1. > ', '|a|\n|-|\n', '``a'],
  ...['```a**|\\', '\\```(](-', '\n1. _', 'a@b.', '||a ', '[*', '***a** b* ', '~a~~', '<a ', 'a\n='],
].map((unit) => unit.repeat(Math.ceil(NASTY_LENGTH / unit.length)).slice(0, NASTY_LENGTH));
const DEEPER = [
  Array.from({ length: 120 }, (_, depth) => `${' '.repeat(depth)}- a`).join('\n'),
  Array.from({ length: 120 }, (_, depth) => `${'>'.repeat(depth)} a`).join('\n'),
  Array.from({ length: 120 }, (_, length) => '`'.repeat(length)).join('a'),
  `[x](${'('.repeat(NASTY_LENGTH)}`,
  `http://a${'.'.repeat(NASTY_LENGTH)}`,
];

describe('what is meant to hurt', () => {
  it('is_read_in_no_time', () => {
    for (const [n, text] of [...NASTY, ...DEEPER].entries()) {
      // Of the processor's time, and the better of two: the machine may have other things to do.
      const times = [1, 2].map((attempt) => {
        const begun = process.cpuUsage();
        treeOf(attempt + text.slice(1));
        return process.cpuUsage(begun).user / 1000;
      });
      expect(Math.min(...times), `${n}: ${text.slice(0, 20)}`).toBeLessThan(NO_TIME_MS);
    }
  });

  const nasty = fc
    .array(fc.oneof(fc.constantFrom(...SIGNS), fc.string({ unit: 'binary', maxLength: 3 })), {
      maxLength: 60,
    })
    .map((parts) => parts.join(''));

  it('never_throws_is_never_deep_and_loses_no_word', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 1, max: 60 }), (unit, times) => {
        const tree = treeOf(unit.repeat(times).slice(0, NASTY_LENGTH));
        expect(depthOf(tree)).toBeLessThanOrEqual(6 + 8 + 3);
        for (const href of hrefsOf(tree)) expect(href).toMatch(/^(?:https?:\/\/|mailto:)/);
        plain(unit);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,8}$/), nasty, (word, rest) => {
        const text = `${word} ${rest}`;
        expect(lettersOf(treeOf(text))).toContain(word);
      }),
      { numRuns: 300 },
    );
  });
});

function depthOf(blocks: readonly Block[]): number {
  const ofInline = (inlines: readonly Inline[]): number =>
    Math.max(0, ...inlines.map((inline) => ('inline' in inline ? 1 + ofInline(inline.inline) : 1)));
  return Math.max(
    0,
    ...blocks.map((block) => {
      if (block.kind === 'quote') return 1 + depthOf(block.blocks);
      if (block.kind === 'list') return 1 + Math.max(0, ...block.items.map(depthOf));
      return block.kind === 'code' ? 1 : 1 + ofInline(block.inline);
    }),
  );
}

function inlinesOf(blocks: readonly Block[]): Inline[] {
  return blocks.flatMap((block) => {
    if (block.kind === 'quote') return inlinesOf(block.blocks);
    if (block.kind === 'list') return block.items.flatMap(inlinesOf);
    return block.kind === 'code' ? [{ kind: 'code', text: block.text }] : [...block.inline];
  });
}

function hrefsOf(blocks: readonly Block[]): string[] {
  const within = (inline: Inline): string[] => [
    ...(inline.kind === 'link' ? [inline.href] : []),
    ...('inline' in inline ? inline.inline.flatMap(within) : []),
  ];
  return inlinesOf(blocks).flatMap(within);
}

function lettersOf(blocks: readonly Block[]): string {
  return wordsOf(inlinesOf(blocks));
}
