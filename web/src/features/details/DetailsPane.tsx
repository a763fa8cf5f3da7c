/** What the open conversation is, beside it, and how one leaves it. */
import { SidePane } from '../../app/SidePane.tsx';
import { useConversation } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';
import { useWords } from '../../i18n/speech.tsx';
import { roomOfKey } from '../../store/state.ts';
import { DirectDetails } from './DirectDetails.tsx';
import { RoomDetails } from './RoomDetails.tsx';
import './details.css';

export function DetailsPane({ conversationKey }: { conversationKey: string }) {
  const { details } = useWords();
  const id = roomOfKey(conversationKey);
  const conversation = useConversation(id ?? undefined);
  return (
    <SidePane title={details.title} close={closePane}>
      <div className="side-pane-body details">
        {id === null ? (
          <DirectDetails conversationKey={conversationKey} />
        ) : (
          conversation?.room != null && <RoomDetails conversation={conversation} room={conversation.room} />
        )}
      </div>
    </SidePane>
  );
}
