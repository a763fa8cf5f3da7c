/** Everything that the page says in German. Each feature has its words beside it. */
import { app } from '../app/words.de.ts';
import { auth } from '../features/auth/words.de.ts';
import { composer } from '../features/composer/words.de.ts';
import { details } from '../features/details/words.de.ts';
import { directory } from '../features/directory/words.de.ts';
import { emoji } from '../features/emoji/words.de.ts';
import { list } from '../features/list/words.de.ts';
import { listed } from '../features/listed/words.de.ts';
import { members } from '../features/members/words.de.ts';
import { message } from '../features/message/words.de.ts';
import { people } from '../features/people/words.de.ts';
import { pins } from '../features/pins/words.de.ts';
import { room } from '../features/room/words.de.ts';
import { search } from '../features/search/words.de.ts';
import { settings } from '../features/settings/words.de.ts';
import { threads } from '../features/threads/words.de.ts';
import { timeline } from '../features/timeline/words.de.ts';
import { common } from '../kit/words.de.ts';
import type { Catalogue } from './en.ts';

export const de: Catalogue = {
  app,
  auth,
  common,
  composer,
  details,
  directory,
  emoji,
  list,
  members,
  message,
  people,
  room,
  settings,
  timeline,
  listed,
  pins,
  search,
  threads,
};
