/** A short sound, made on the spot: two soft notes, the second one higher. */

/** Frequency in Hz, beginning and length in seconds. */
const NOTES = [
  { hz: 659.25, from: 0, for: 0.16 },
  { hz: 880, from: 0.11, for: 0.28 },
] as const;
const ATTACK_S = 0.012;
/** At full volume; well below what would be clipped. */
const LOUDEST = 0.35;
const SILENCE = 0.0001;

let context: AudioContext | null = null;

/** Nothing where the browser does not let this page be heard yet: somebody has to have touched it first. */
export function playSound(volume: number): void {
  if (volume <= 0 || !('AudioContext' in window) || navigator.userActivation?.hasBeenActive === false) return;
  context ??= new AudioContext();
  const { destination } = context;
  void context.resume();
  const peak = Math.max(SILENCE, (volume / 100) * LOUDEST);
  for (const note of NOTES) {
    const begin = context.currentTime + note.from;
    const tone = new OscillatorNode(context, { type: 'sine', frequency: note.hz });
    const loudness = new GainNode(context, { gain: 0 });
    loudness.gain.setValueAtTime(SILENCE, begin);
    loudness.gain.exponentialRampToValueAtTime(peak, begin + ATTACK_S);
    loudness.gain.exponentialRampToValueAtTime(SILENCE, begin + note.for);
    tone.connect(loudness).connect(destination);
    tone.start(begin);
    tone.stop(begin + note.for);
  }
}
