/** The page of somebody who is logged in: the list, what is open, and what stands beside that. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { ConversationView } from '../features/timeline/ConversationView.tsx';
import { useClient, useKnown } from '../hooks/client.ts';
import { useOutside } from '../hooks/outside.ts';
import { idOfRoute, keyOfRoute, type Route, useRoute } from '../hooks/route.ts';
import { useWords } from '../i18n/speech.tsx';
import { later } from '../kit/later.tsx';
import { focusMessages } from '../kit/places.ts';
import { Announcements } from './Announcements.tsx';
import { Beside } from './Beside.tsx';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { type DialogName, DialogsContext } from './dialogs.tsx';
import { useFocusOnOpen } from './keys/useFocusOnOpen.ts';
import { useKeyDeeds } from './keys/useKeyDeeds.ts';
import { useShortcuts } from './keys/useShortcuts.ts';
import { Notifier } from './notify/Notifier.tsx';
import { Sidebar } from './Sidebar.tsx';
import { Sought } from './Sought.tsx';
import { useTitle } from './useTitle.ts';
import { Welcome } from './Welcome.tsx';
import './shell.css';

const Outside = later(async () => (await import('../features/directory/Outside.tsx')).Outside);
const DirectoryPage = later(
  async () => (await import('../features/directory/DirectoryPage.tsx')).DirectoryPage,
);
const SettingsPage = later(async () => (await import('../features/settings/SettingsPage.tsx')).SettingsPage);
const NewConversation = later(
  async () => (await import('../features/people/NewConversation.tsx')).NewConversation,
);
const LogoutDialog = later(async () => (await import('../features/auth/LogoutDialog.tsx')).LogoutDialog);
const HelpSheet = later(async () => (await import('./keys/HelpSheet.tsx')).HelpSheet);
const QuickSwitcher = later(async () => (await import('./keys/QuickSwitcher.tsx')).QuickSwitcher);
const NewRoom = later(async () => (await import('../features/room/NewRoom.tsx')).NewRoom);

export function Chat({ logout }: { logout(): Promise<void> }) {
  const client = useClient();
  const { app } = useWords();
  const route = useRoute();
  const key = useKnown((state) => keyOfRoute(route, state));
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const close = useCallback(() => setDialog(null), []);
  const dialogs = useMemo(() => ({ show: setDialog }), []);
  useTitle();

  useEffect(() => client.open(key ?? null), [client, key]);
  useShortcuts(useKeyDeeds(route, key ?? null, dialogs));
  useFocusOnOpen(key ?? null);
  // What one types next is meant for it: it has to be there at once.
  useEffect(() => QuickSwitcher.fetch(), []);

  return (
    <DialogsContext value={dialogs}>
      <div className={route.page === 'list' ? 'chat' : 'chat chat-open'}>
        {key != null && (
          <button type="button" className="button skip-link" onClick={focusMessages}>
            {app.skipToMessages}
          </button>
        )}
        <ConnectionBanner />
        <Announcements open={key ?? null} />
        <Notifier route={route} open={key ?? null} />
        <Sidebar open={key ?? null} />
        <main className="panes">
          <h1 className="visually-hidden">Natter</h1>
          <div className="pane">
            <Open route={route} openKey={key} />
          </div>
          <Beside route={route} openKey={key} />
        </main>
        {dialog === 'people' && <NewConversation close={close} />}
        {dialog === 'room' && <NewRoom close={close} />}
        {dialog === 'keys' && <HelpSheet close={close} />}
        {dialog === 'switcher' && <QuickSwitcher open={key ?? null} close={close} />}
        {dialog === 'log_out' && <LogoutDialog logout={logout} close={close} />}
      </div>
    </DialogsContext>
  );
}

interface OpenProps {
  route: Route;
  openKey: string | null | undefined;
}

/** What the address names. */
function Open({ route, openKey }: OpenProps) {
  const outside = useOutside(route);
  if (route.page === 'settings') return <SettingsPage section={route.section} />;
  if (outside !== null) return <Outside key={outside.conversation} {...outside} />;
  if (openKey === undefined) return <Sought id={idOfRoute(route) ?? ''} />;
  if (route.page === 'rooms') return <DirectoryPage />;
  if (openKey === null || route.page !== 'conversation') return <Welcome />;
  return <ConversationView key={openKey} conversationKey={openKey} />;
}
