import {
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { useClient, useConversation, useKnown } from '../../hooks/client.ts';
import { showPane } from '../../hooks/pane.ts';
import { go, linkTo } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { addressOf, copied } from '../../kit/clipboard.ts';
import { later } from '../../kit/later.tsx';
import { nameOf } from '../../kit/people.ts';
import type { Note } from '../../kit/Toast.tsx';
import { may } from '../../net/rights.ts';
import { draftKey, editKey, replyTo } from '../../outbox/drafts.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';
import { messageShown } from '../../store/shown.ts';
import { keyOf } from '../../store/state.ts';
import { timelineKey } from '../../store/timeline.ts';
import { faultText } from '../outbox/faults.ts';
import type { MessageDeeds } from './deeds.ts';

const DeleteDialog = later(async () => (await import('./DeleteDialog.tsx')).DeleteDialog);
const VersionsDialog = later(async () => (await import('./VersionsDialog.tsx')).VersionsDialog);

/** What somebody just began to edit, is about to delete, or to look at. */
type Doing = { what: 'edit' | 'delete' | 'versions'; seq: number };

/** For so long what was done is told. */
const NOTE_MS = 4_000;
/** What a person has to copy themselves stays longer. */
const LINK_MS = 30_000;

export interface Doings {
  deeds: MessageDeeds;
  /** The message that is being edited. */
  editing: number | null;
  /** Why the last thing could not even wait. */
  problem: string | null;
  /** What was just done. */
  note: Note | null;
  outcome(of: AddOutcome): void;
  dialog: ReactNode;
}

/** What can be done to the messages of a conversation, and what is being done. */
export function useDeeds(
  id: string | undefined,
  composer: RefObject<HTMLTextAreaElement | null>,
  /** How one gets to a message that is not in sight; by its address where there is no shorter way. */
  goTo?: (seq: number) => void,
  /** The message with which the thread begins, where these are in one. */
  thread: number | null = null,
): Doings {
  const client = useClient();
  const { common } = useWords();
  const names = useKnown((state) => state.names);
  const [doing, setDoing] = useState<Doing | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [note, setNote] = useState<(Note & { ms: number }) | null>(null);
  const about = useKnown((state) =>
    doing?.what !== 'delete' || id === undefined ? undefined : messageShown(state, id, doing.seq),
  );

  // They are asked for without a network, too.
  useEffect(() => {
    DeleteDialog.fetch();
    VersionsDialog.fetch();
  }, []);

  const outcome = useCallback(
    (of: AddOutcome) => setProblem('fault' in of ? faultText(of.fault, 0, common) : null),
    [common],
  );
  const line = timelineKey(id ?? '', thread);
  const editing = useSyncExternalStore(client.drafts.subscribe, () => client.drafts.editing(line));
  const gone = useKnown(
    (state) => id !== undefined && editing !== null && messageShown(state, id, editing)?.deleted === true,
  );
  useEffect(() => {
    if (gone && editing !== null) client.drafts.drop(editKey(line, editing));
  }, [client, editing, gone, line]);
  const editField = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const { current: field } = editField;
    // An edit that is only come back to leaves the focus and the reader where they are.
    if (doing?.what !== 'edit' || field === null) return;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    field.scrollIntoView({ block: 'nearest' });
  }, [doing]);
  const toComposer = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an edit that was come back to is nothing that one is doing
  useEffect(() => {
    // After the dialog or the form is gone, for what had the focus before may be gone, too.
    if (doing !== null || !toComposer.current) return;
    toComposer.current = false;
    composer.current?.focus();
  }, [composer, doing, editing]);

  useEffect(() => {
    if (note === null) return;
    const timer = setTimeout(() => setNote(null), note.ms);
    return () => clearTimeout(timer);
  }, [note]);
  const tell = useCallback(
    (text: string, ms: number) => setNote((before) => ({ n: (before?.n ?? 0) + 1, text, ms })),
    [],
  );

  const conversation = useConversation(id);
  const { kind, role = null } = conversation ?? {};
  const deeds = useMemo((): MessageDeeds => {
    return {
      may: {
        // Among the people of a direct conversation nobody is in charge.
        pin: kind === 'direct' || may(role, 'pin'),
        deleteOthers: kind === 'room' && may(role, 'deleteOthers'),
        thread: thread === null,
      },
      react: (seq, emoji, op) =>
        id !== undefined &&
        outcome(client.do({ kind: 'react', to: { conversation: id }, message: seq, emoji, op })),
      reply: (seq) => {
        const { state } = client.store;
        const held = id === undefined ? undefined : state.conversations.get(id);
        const message = id === undefined ? undefined : messageShown(state, id, seq);
        // Where nothing can be written there is no field.
        if (held === undefined || message === undefined || composer.current === null) return;
        client.drafts.write(draftKey(keyOf(held), thread), { reply: replyTo(message) });
        composer.current.focus();
      },
      edit: ({ seq, text }) => {
        const key = editKey(line, seq);
        if (client.drafts.get(key) === undefined) client.drafts.write(key, { text, base: text });
        setDoing({ what: 'edit', seq });
      },
      editOf: (seq) => editKey(line, seq),
      editField,
      save: (seq, text) =>
        id === undefined
          ? { fault: 'empty' }
          : client.do({ kind: 'edit', to: { conversation: id }, message: seq, text }),
      closeEdit: (seq) => {
        toComposer.current = true;
        client.drafts.drop(editKey(line, seq));
        setDoing(null);
      },
      askToDelete: (seq) => setDoing({ what: 'delete', seq }),
      thread: (seq) => showPane({ name: 'thread', root: seq }),
      pin: (seq, op) =>
        id !== undefined && outcome(client.do({ kind: 'pin', to: { conversation: id }, message: seq, op })),
      showVersions: (seq) => setDoing({ what: 'versions', seq }),
      copyLink: (seq) => {
        if (id === undefined) return;
        const link = addressOf(linkTo(id, seq, thread));
        void copied(link).then((done) =>
          done ? tell(common.linkCopied, NOTE_MS) : tell(`${common.copyByHand} ${link}`, LINK_MS),
        );
      },
      goTo: (seq) => {
        if (goTo !== undefined) goTo(seq);
        else if (id !== undefined) go({ page: 'conversation', of: { id }, at: seq, pane: null });
      },
    };
  }, [client, id, line, composer, goTo, outcome, tell, thread, common, kind, role]);

  const remove = (seq: number) => {
    if (id === undefined) return;
    outcome(client.do({ kind: 'delete', to: { conversation: id }, message: seq }));
    client.drafts.drop(editKey(line, seq));
    toComposer.current = true;
    setDoing(null);
  };
  const close = () => setDoing(null);
  const dialog =
    about !== undefined ? (
      <DeleteDialog
        text={about.text}
        author={about.sender === client.me ? null : nameOf(about.sender, names, common.people)}
        remove={() => remove(about.seq)}
        close={close}
      />
    ) : doing?.what === 'versions' && id !== undefined ? (
      <VersionsDialog conversation={id} seq={doing.seq} close={close} />
    ) : null;
  return { deeds, editing, problem, note, outcome, dialog };
}
