import { type KeyboardEvent, type MouseEvent, type ReactNode, useState } from 'react';

export interface Tool {
  id: string;
  name: string;
  /** What else the pointer is told, the keys for example. */
  title?: string;
  icon: ReactNode;
  pressed?: boolean;
  run(): void;
}

interface ToolbarProps {
  name: string;
  className: string;
  tools: readonly Tool[];
  buttonClass: string;
  /** For tools whose work is in a field: it keeps the focus when they are pressed with a pointer. */
  leaveFocus?: boolean;
}

/** A row of buttons of which one takes Tab; the arrows lead to the others. */
export function Toolbar({ name, className, tools, buttonClass, leaveFocus = false }: ToolbarProps) {
  const [last, setLast] = useState<string | null>(null);
  const held = tools.find(({ pressed }) => pressed)?.id ?? last;
  const reached = tools.some(({ id }) => id === held) ? held : tools[0]?.id;

  const keyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const rightToLeft = getComputedStyle(event.currentTarget).direction === 'rtl';
    const step = { ArrowRight: rightToLeft ? -1 : 1, ArrowLeft: rightToLeft ? 1 : -1 }[event.key];
    const buttons = [...event.currentTarget.querySelectorAll('button')];
    const from = buttons.findIndex((button) => button.matches(':focus'));
    if (step === undefined || from === -1) return;
    event.preventDefault();
    buttons[(from + step + buttons.length) % buttons.length]?.focus();
  };
  const keepFocus = (event: MouseEvent) => {
    if (leaveFocus) event.preventDefault();
  };
  return (
    <div className={className} role="toolbar" aria-label={name} onKeyDown={keyDown}>
      {tools.map((tool) => (
        <button
          key={tool.id}
          type="button"
          className={buttonClass}
          tabIndex={tool.id === reached ? 0 : -1}
          aria-label={tool.name}
          aria-pressed={tool.pressed}
          title={tool.title ?? tool.name}
          onMouseDown={keepFocus}
          onFocus={() => setLast(tool.id)}
          onClick={tool.run}
        >
          {tool.icon}
        </button>
      ))}
    </div>
  );
}
