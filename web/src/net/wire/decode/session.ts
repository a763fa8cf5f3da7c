/** The session itself: its beginning, its end, and the answers to commands (PROTOCOL §3, §5, §6). */
import { faultCode } from '../../codes.ts';
import type * as Wire from '../generated.ts';
import { isSet, maybe, object, or, text, texts, unused, whole } from '../read.ts';

const limits = object<Wire.Limits>()({
  frame_bytes: whole,
  text_chars: whole,
  metadata_bytes: whole,
  participants: whole,
  watched_users: whole,
  messages: whole,
  messages_window_ms: whole,
});

export const welcome = object<Wire.Welcome>()({
  user: text,
  session: text,
  gateway: unused,
  now: text,
  position: text,
  heartbeat_ms: whole,
  limits: maybe(limits),
});

export const complete = object<Wire.CaughtUp>()({ position: text });

export const reset = object<Wire.Reset>()({ reason: text, position: text });

export const goodbye = object<Wire.Goodbye>()({ reconnect_after_ms: whole });

export const ok = object<Wire.Ok>()({
  ref: maybe(whole),
  seq: maybe(whole),
  position: maybe(text),
  conversation: maybe(text),
  at: maybe(text),
  duplicate: isSet,
  /** Of a room that was made: who was to be in it and is not. */
  refused: maybe(texts),
});

export const error = object<Wire.Refusal>()({
  /** Absent where the server could not tell which command it was. */
  ref: maybe(whole),
  code: faultCode,
  message: or(text, ''),
  temporary: isSet,
  retry_after_ms: maybe(whole),
});
