import './ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { composeSession } from './compose.ts';
import { App } from './ui/App.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');

const session = composeSession();
void session.restore();
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
