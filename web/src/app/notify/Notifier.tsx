/** Tells outside of the page what was said. It draws nothing. */
import { useEffect, useRef } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useDevice } from '../../hooks/device.ts';
import { useFocused, useVisible } from '../../hooks/page.ts';
import type { Route } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { browserEnvironment } from '../../net/environment.ts';
import { Attention } from '../../sync/attention.ts';
import { Herald, placeOf } from './herald.ts';
import { browserPopups } from './popups.ts';
import { playSound } from './sound.ts';
import { summaryOf, tellingOf } from './telling.ts';

export function Notifier({ route, open }: { route: Route; open: string | null }) {
  const client = useClient();
  const device = useDevice();
  const words = useWords();
  const said = useRef(words);
  const parts = useRef<{ attention: Attention; herald: Herald } | null>(null);
  const visible = useVisible();
  const focused = useFocused();

  useEffect(() => {
    said.current = words;
  }, [words]);

  useEffect(() => {
    const attention = new Attention(navigator.locks, client.me);
    const herald = new Herald({
      // Quiet hours are those of the day outside, whatever this machine's clock says.
      environment: { ...browserEnvironment, now: () => client.serverNow() },
      state: () => client.store.state,
      settings: () => device.settings.notify,
      catchingUp: () => client.connection.phase.name !== 'live',
      attention,
      popups: browserPopups(),
      playSound,
      tell: (conversation, message) =>
        tellingOf(conversation, message, client.store.state, device.settings.notify, said.current),
      summarise: (messages, conversations) => summaryOf(messages, conversations, said.current),
    });
    parts.current = { attention, herald };
    const ends = [
      client.onFrame((frame) => herald.hear(frame)),
      client.store.subscribe(() => herald.stateChanged()),
      () => herald.close(),
      () => attention.close(),
    ];
    return () => {
      parts.current = null;
      for (const end of ends) end();
    };
  }, [client, device]);

  useEffect(() => {
    const thread = route.page === 'conversation' && route.pane?.name === 'thread' ? [route.pane.root] : [];
    const places = visible && open !== null ? [null, ...thread].map((root) => placeOf(open, root)) : [];
    parts.current?.attention.show(places, visible && focused);
    if (visible) parts.current?.herald.seen(places);
  }, [route, open, visible, focused]);

  return null;
}
