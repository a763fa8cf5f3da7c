import { useClient, useConnection, useQueue } from '../hooks/client.ts';
import { useNow } from '../hooks/page.ts';
import { useWords } from '../i18n/speech.tsx';
import { countsOf } from '../outbox/pending.ts';
import { bannerOf } from './banner.ts';

/** What is true of the connection; nothing while all is well. */
export function ConnectionBanner() {
  const client = useClient();
  const { app, common } = useWords();
  const connection = useConnection();
  const queue = useQueue();
  const entries = queue.entries.filter(({ status }) => status !== 'failed');
  const waiting = {
    ...countsOf(entries),
    durable: client.outbox.durable,
    pausedUntil: queue.pausedUntil,
  };
  const counting =
    connection.phase.name === 'waiting' || (connection.phase.name === 'live' && entries.length > 0);
  const banner = bannerOf(connection, waiting, useNow(counting), app);
  return (
    <div className="banner-place">
      {banner !== null && (
        <div className={`banner banner-${banner.tone}`}>
          {/* Counting down is for the eye: it would be read out every second. */}
          <span role="status" aria-label={app.banner.name} aria-live={counting ? 'off' : 'polite'}>
            {banner.text}
          </span>
          {banner.action === 'try_now' && (
            <button type="button" className="link" onClick={() => client.tryNow()}>
              {common.tryNow}
            </button>
          )}
          {banner.action === 'reload' && (
            <button type="button" className="link" onClick={() => location.reload()}>
              {app.banner.reload}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
