import { useEffect } from 'react';
import { useClient } from './client.ts';

/** Whether these people are there is on the screen: it is followed for as long as this is. `people` stays the same. */
export function useBeside(people: readonly string[]): void {
  const client = useClient();
  useEffect(() => {
    client.lookAt(people);
    return () => client.lookAt([]);
  }, [client, people]);
}
