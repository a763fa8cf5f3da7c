import type { ReactNode } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { ChatIcon, HashIcon, PlusIcon } from '../kit/icons.tsx';
import { useDialogs } from './dialogs.tsx';
import './welcome.css';

/** Where nothing is open: what one can do here, for whoever sees it for the first time. */
export function Welcome() {
  const { app } = useWords();
  const { welcome } = app;
  const dialogs = useDialogs();
  return (
    <div className="welcome">
      <h2>{welcome.title}</h2>
      <p className="welcome-lead">{welcome.lead}</p>
      <ul className="welcome-cards">
        <li>
          <button type="button" className="welcome-card" onClick={() => dialogs.show('people')}>
            <Card icon={<ChatIcon />} title={app.startTalking} text={welcome.people} />
          </button>
        </li>
        <li>
          <a className="welcome-card" href="#/rooms">
            <Card icon={<HashIcon />} title={welcome.browse} text={welcome.rooms} />
          </a>
        </li>
        <li>
          <button type="button" className="welcome-card" onClick={() => dialogs.show('room')}>
            <Card icon={<PlusIcon />} title={welcome.make} text={welcome.room} />
          </button>
        </li>
      </ul>
    </div>
  );
}

function Card({ icon, title, text }: { icon: ReactNode; title: string; text: string }) {
  return (
    <>
      <span className="welcome-icon">{icon}</span>
      <span className="welcome-title">{title}</span>
      <span className="welcome-text">{text}</span>
    </>
  );
}
