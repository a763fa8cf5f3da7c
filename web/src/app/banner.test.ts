import { describe, expect, it } from 'vitest';
import { type Connection, initialConnection, type Phase } from '../net/connection/state.ts';
import { bannerOf, spokenOf, waitingText } from './banner.ts';
import { app as german } from './words.de.ts';
import { app } from './words.en.ts';

const NOW = Date.parse('2026-05-06T12:00:00Z');
const nothing = { messages: 0, changes: 0, durable: true, pausedUntil: 0 };
const two = { ...nothing, messages: 2 };
const inPhase = (phase: Phase, attempt = 1): Connection => ({ ...initialConnection, phase, attempt });

describe('the banner says the truth', () => {
  const live = inPhase({ name: 'live', heartbeatMs: 25_000, since: NOW, lastPingAt: NOW });

  it('nothing_while_all_is_well', () => {
    expect(bannerOf(live, nothing, NOW, app)).toBeNull();
    expect(bannerOf(live, two, NOW, app)).toBeNull();
  });

  it('not_that_one_is_offline_while_it_begins', () => {
    expect(bannerOf(initialConnection, nothing, NOW, app)).toEqual({
      tone: 'working',
      text: 'Connecting…',
      action: null,
    });
  });

  it('how_many_wait_and_where_they_are_kept', () => {
    const offline = inPhase({ name: 'offline', retryAt: 0 });
    expect(bannerOf(offline, two, NOW, app)?.text).toBe(
      'You’re offline. 2 messages waiting, kept on this device.',
    );
    expect(bannerOf(offline, { ...two, messages: 1, durable: false }, NOW, app)?.text).toBe(
      'You’re offline. 1 message waiting, keep this page open.',
    );
  });

  it('of_one_as_of_many_in_german', () => {
    const text = (waiting: Partial<typeof nothing>) =>
      bannerOf(inPhase({ name: 'offline', retryAt: 0 }), { ...nothing, ...waiting }, NOW, german)?.text;
    expect(text({ messages: 1 })).toBe(
      'Du bist offline. Noch nicht gesendet, aber auf diesem Gerät aufgehoben: 1 Nachricht.',
    );
    expect(text({ messages: 2, changes: 1, durable: false })).toBe(
      'Du bist offline. Noch nicht gesendet: 2 Nachrichten und 1 Änderung. Lass diese Seite offen.',
    );
  });

  it('that_edits_deletions_and_reactions_wait_too', () => {
    const offline = inPhase({ name: 'offline', retryAt: 0 });
    const mixed = { ...nothing, messages: 2, changes: 1 };
    expect(bannerOf(offline, mixed, NOW, app)?.text).toBe(
      'You’re offline. 2 messages and 1 change waiting, kept on this device.',
    );
    expect(waitingText({ messages: 0, changes: 3 }, app)).toBe('3 changes');
    expect(waitingText({ messages: 0, changes: 0 }, app)).toBe('');
    const slow = { ...nothing, changes: 2, pausedUntil: NOW + 1 };
    expect(bannerOf(live, slow, NOW, app)?.text).toBe('Sending slowly: 2 changes in line.');
  });

  it('hrt5_when_it_tries_again_with_a_way_to_do_it_now', () => {
    const waiting = inPhase({ name: 'waiting', retryAt: NOW + 2_400 });
    expect(bannerOf(waiting, nothing, NOW, app)).toEqual({
      tone: 'waiting',
      text: 'Reconnecting in 3 s…',
      action: 'try_now',
    });
    expect(bannerOf(inPhase({ name: 'waiting', retryAt: NOW + 30_000 }, 11), nothing, NOW, app)?.text).toBe(
      'Natter can’t be reached. Next attempt in 30 s.',
    );
  });

  it('wcag_4_1_3_aloud_once_through_all_attempts_without_the_seconds', () => {
    const attempts: Phase[] = [
      { name: 'waiting', retryAt: NOW + 2_400 },
      { name: 'waiting', retryAt: NOW + 400 },
      { name: 'starting' },
      { name: 'waiting', retryAt: NOW + 9_000 },
    ];
    const said = (attempt: number) => attempts.map((phase) => spokenOf(inPhase(phase, attempt), two, app));
    const kept = '2 messages waiting, kept on this device.';
    expect(new Set(said(1))).toEqual(new Set([`Reconnecting… ${kept}`]));
    expect(new Set(said(11))).toEqual(new Set([`Natter can’t be reached. ${kept}`]));
    const offline = inPhase({ name: 'offline', retryAt: 0 });
    expect(spokenOf(offline, nothing, app)).toBe('You’re offline.');
    expect(spokenOf(live, { ...two, pausedUntil: NOW + 1 }, app)).toBe('');
  });

  it('that_the_server_slows_it_down', () => {
    expect(bannerOf(live, { ...two, pausedUntil: NOW + 1 }, NOW, app)?.text).toBe(
      'Sending slowly: 2 messages in line.',
    );
  });

  it('why_it_ended_and_what_helps', () => {
    const stopped = (code: number) => inPhase({ name: 'failed', code });
    expect(bannerOf(stopped(4505), nothing, NOW, app)).toEqual({
      tone: 'stopped',
      text: 'This page is older than the server. Reload it.',
      action: 'reload',
    });
    expect(bannerOf(stopped(4500), nothing, NOW, app)?.action).toBe('reload');
    expect(bannerOf(stopped(4504), nothing, NOW, app)?.action).toBe('try_now');
    expect(bannerOf(stopped(4599), two, NOW, app)?.text).toBe(
      'The server ended the connection. 2 messages waiting, kept on this device.',
    );
  });
});
