import { useClient, useConnection, useQueue } from '../hooks/client.ts';
import { useNow } from '../hooks/page.ts';
import { useWords } from '../i18n/speech.tsx';
import { countsOf } from '../outbox/pending.ts';
import { bannerOf, spokenOf } from './banner.ts';

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
      {/* It is there before it says something, so that it is read out when it does. */}
      <p className="visually-hidden" role="status" aria-label={app.banner.name}>
        {spokenOf(connection, waiting, app)}
      </p>
      {banner !== null && (
        <section className={`banner banner-${banner.tone}`} aria-label={app.banner.name}>
          <span>{banner.text}</span>
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
        </section>
      )}
    </div>
  );
}
