import './kit/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App, Chat } from './app/App.tsx';
import { UpdateNotice } from './app/UpdateNotice.tsx';
import { browserUpdates } from './app/update.ts';
import { composeSession } from './compose.ts';
import { browserDevice, followLooks } from './device/device.ts';
import { DeviceContext } from './hooks/device.ts';
import { Speaking } from './i18n/speech.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');

const device = browserDevice();
followLooks(device, document.documentElement);
const session = composeSession();
Chat.fetch();
void session.restore();
const updates = browserUpdates();
createRoot(root).render(
  <StrictMode>
    <DeviceContext value={device}>
      <Speaking device={device}>
        <UpdateNotice updates={updates} />
        <App session={session} />
      </Speaking>
    </DeviceContext>
  </StrictMode>,
);
