import { useMemo } from 'react';
import { useClient, useKnown, useQueue, useSetting } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { oneLine } from '../../kit/bidi.ts';
import { conversationsShown } from '../../store/shown.ts';
import type { Client } from '../../sync/client.ts';
import type { NamesOf } from './finding.ts';
import { type Row, rowsOf } from './rows.ts';
import { OPENED_SETTING, type Opened, openedOf, rowsShown, sectionsOf } from './sections.ts';

export function useRows(): Row[] {
  const client = useClient();
  const conversations = useKnown(conversationsShown);
  const { entries } = useQueue();
  return useMemo(() => rowsOf(conversations, entries, client.me), [conversations, entries, client]);
}

export function useOpened(): Opened {
  const kept = useSetting(OPENED_SETTING);
  return useMemo(() => openedOf(kept), [kept]);
}

/** What the conversations are called, as it is known now. */
export function useNamesOf(): NamesOf {
  const { people } = useWords().common;
  const names = useKnown((state) => state.names);
  return useMemo(
    () =>
      ({ conversation, others }) => {
        const called = others.map((user) => names.get(user) ?? user).join(', ');
        const title = conversation?.room?.name ?? (called === '' ? people.notesToYourself : called);
        return { title: oneLine(title), handles: others };
      },
    [names, people],
  );
}

/** For who asks once: the rows in all sections, and those that one sees. */
export function rowsNow({ store, outbox, settings, me }: Client): { all: Row[]; shown: Row[] } {
  const rows = rowsOf(conversationsShown(store.state), outbox.queue.entries, me);
  const sections = sectionsOf(rows, me);
  return {
    all: sections.flatMap((section) => section.rows),
    shown: rowsShown(sections, openedOf(settings.get(OPENED_SETTING))),
  };
}
