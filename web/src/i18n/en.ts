/** Everything that the page says in English. Each feature has its words beside it. */
import { app } from '../app/words.en.ts';
import { auth } from '../features/auth/words.en.ts';
import { composer } from '../features/composer/words.en.ts';
import { details } from '../features/details/words.en.ts';
import { directory } from '../features/directory/words.en.ts';
import { emoji } from '../features/emoji/words.en.ts';
import { list } from '../features/list/words.en.ts';
import { listed } from '../features/listed/words.en.ts';
import { members } from '../features/members/words.en.ts';
import { message } from '../features/message/words.en.ts';
import { people } from '../features/people/words.en.ts';
import { pins } from '../features/pins/words.en.ts';
import { room } from '../features/room/words.en.ts';
import { search } from '../features/search/words.en.ts';
import { settings } from '../features/settings/words.en.ts';
import { threads } from '../features/threads/words.en.ts';
import { timeline } from '../features/timeline/words.en.ts';
import { common } from '../kit/words.en.ts';

export const en = {
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

export type Catalogue = typeof en;
