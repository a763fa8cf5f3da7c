import { describe, expect, it } from 'vitest';
import { begunOf, cacheOf, fileFor, outdated, type ShellFile } from './shell.ts';

const ORIGIN = 'https://natter.example';
const SHELL: ShellFile[] = [
  ['/assets/index-1.js', 'sha256-a'],
  ['/', 'sha256-b'],
  ['/favicon.svg', 'sha256-c'],
];

const navigation = (path: string) =>
  fileFor({ method: 'GET', mode: 'navigate', url: ORIGIN + path }, SHELL, ORIGIN);
const load = (path: string, method = 'GET') =>
  fileFor({ method, mode: 'cors', url: ORIGIN + path }, SHELL, ORIGIN);

describe('what the worker answers', () => {
  it('is the page under every address of a conversation, whatever stands behind it', () => {
    for (const path of ['/', '/#/@bob', '/?from=home', '/c/0198-7', '/c/a/b'])
      expect(navigation(path)).toBe('/');
  });

  it('is the files of the page, also those of another version', () => {
    for (const path of ['/assets/index-1.js', '/assets/index-0.js', '/favicon.svg'])
      expect(load(path)).toBe(path);
  });

  it('is never what people say, nor who they are', () => {
    for (const path of [
      '/history/conversations',
      '/history/users?handles=ada',
      '/auth/refresh',
      '/api/online',
      '/ws',
      '/health',
      '/sw.js',
      '/cable',
      '/assets',
      '/icons/192.png',
    ]) {
      expect(load(path)).toBeNull();
      expect(navigation(path)).toBeNull();
    }
    expect(load('/')).toBeNull();
  });

  it('is never a command, a question with parameters, or another server’s', () => {
    for (const method of ['POST', 'HEAD', 'PUT', 'DELETE'])
      expect(load('/assets/index-1.js', method)).toBeNull();
    expect(load('/assets/index-1.js?x=1')).toBeNull();
    const elsewhere = { method: 'GET', mode: 'navigate', url: 'https://other.example/' };
    expect(fileFor(elsewhere, SHELL, ORIGIN)).toBeNull();
  });
});

describe('what the worker keeps', () => {
  it('has a name of its own for each version of the page', () => {
    expect(cacheOf(SHELL)).toBe('natter-shell-sha256-b');
  });

  it('is this version and the one before, and nobody else’s is touched', () => {
    const [v1, v2, v3] = ['natter-shell-1', 'natter-shell-2', 'natter-shell-3'];
    const [b1, b2, b3] = [begunOf(v1), begunOf(v2), begunOf(v3)];
    expect(outdated([v1, b1], v1)).toEqual([]);
    expect(outdated([v1, b1, v2, b2], v2)).toEqual([]);
    expect(outdated([v1, b1, 'other', v2, b2, v3, b3], v3)).toEqual([v1, b1]);
    expect(outdated([v1, b1, v2, b2, v3, b3], v1)).toEqual([v2, b2]);
  });

  it('is the one before that tabs run, not one that waited until the next one came', () => {
    const [v1, v2, v3] = ['natter-shell-1', 'natter-shell-2', 'natter-shell-3'];
    expect(outdated([v1, begunOf(v1), v2, v3, begunOf(v3)], v3)).toEqual([v2]);
    expect(outdated([v1, begunOf(v1), v2, v3, begunOf(v2)], v2)).toEqual([]);
  });
});
