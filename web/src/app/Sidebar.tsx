import { ConversationList } from '../features/list/ConversationList.tsx';
import { isOfList } from '../features/room/faultPlaces.ts';
import { RoomFaults } from '../features/room/RoomFaults.tsx';
import { useClient, useKnown } from '../hooks/client.ts';
import { hashOf, idOfRoute, useRoute } from '../hooks/route.ts';
import { useWords } from '../i18n/speech.tsx';
import { Avatar } from '../kit/Avatar.tsx';
import { GearIcon, HashIcon, KeyboardIcon, LogOutIcon, PencilIcon } from '../kit/icons.tsx';
import { Handle, Name } from '../kit/Name.tsx';
import { idShown } from '../store/shown.ts';
import { useDialogs } from './dialogs.tsx';
import { NotifyOffer } from './notify/NotifyOffer.tsx';

/** The conversations, and the ways to new ones. */
export function Sidebar({ open }: { open: string | null }) {
  const { me } = useClient();
  const { app } = useWords();
  const dialogs = useDialogs();
  const route = useRoute();
  const name = useKnown((state) => state.names.get(me)) ?? me;
  // Of a room that one is not in any more there is nothing beside the list that could say it.
  const here = useKnown((state) => {
    const id = open === null ? undefined : idShown(state, open);
    return id === undefined || state.gone.has(id) ? undefined : id;
  });
  const outside = here === undefined ? (idOfRoute(route) ?? undefined) : undefined;
  return (
    <nav className="sidebar" aria-label={app.conversations}>
      <header className="sidebar-head">
        <span className="wordmark small" aria-hidden="true">
          Natter
        </span>
        <span>
          <button
            type="button"
            className="icon-button"
            aria-label={app.newConversation}
            title={app.newConversation}
            onClick={() => dialogs.show('people')}
          >
            <PencilIcon />
          </button>
          <a className="icon-button" href="#/rooms" aria-label={app.findRooms} title={app.findRooms}>
            <HashIcon />
          </a>
        </span>
      </header>
      <RoomFaults of={(entry) => isOfList(entry, route.page, here, outside)} />
      <ConversationList open={open} onNew={() => dialogs.show('people')} />
      <NotifyOffer />
      <footer className="sidebar-foot">
        <a className="me" href={hashOf({ page: 'settings', section: null })} title={app.settings}>
          <span className="visually-hidden">
            {app.loggedInAs} <Handle of={me} />. {app.settings}
          </span>
          <Avatar handle={me} name={name} />
          <span className="me-names" aria-hidden="true">
            {name !== me && (
              <span className="me-name">
                <Name>{name}</Name>
              </span>
            )}
            <span>
              <Handle of={me} />
            </span>
          </span>
          <GearIcon />
        </a>
        <button
          type="button"
          className="icon-button keys-link"
          aria-label={app.keys.title}
          title={app.keys.title}
          onClick={() => dialogs.show('keys')}
        >
          <KeyboardIcon />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={app.logOut}
          title={app.logOut}
          onClick={() => dialogs.show('log_out')}
        >
          <LogOutIcon />
        </button>
      </footer>
    </nav>
  );
}
