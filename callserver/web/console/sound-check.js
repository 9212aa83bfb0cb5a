/** What the sound check plays and measures: the level, a test sound, an echo of two seconds. */

const ECHO_MS = 2000;
const QUIETEST_DB = -60;

/**
 * How loud the microphone is, 0 to 1 on a scale of decibels.
 * @param {AnalyserNode | null} meter
 */
export function level(meter) {
  if (!meter) {
    return 0;
  }
  const wave = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(wave);
  const mean = wave.reduce((sum, one) => sum + one * one, 0) / wave.length;
  const db = 10 * Math.log10(mean + 1e-9);
  return Math.min(1, Math.max(0, (db - QUIETEST_DB) / -QUIETEST_DB));
}

/**
 * A sound destination on a chosen device.
 * @param {string} sink
 * @returns {Promise<AudioContext>}
 */
export async function audioOn(sink) {
  const audio = new AudioContext();
  try {
    await audio.setSinkId?.(sink);
  } catch {
    await audio.setSinkId?.(""); // the chosen one is unplugged: the machine's own
  }
  return audio;
}

/**
 * One soft note: when, how high, how long, how loud.
 * @param {AudioContext} audio
 * @param {AudioNode} to
 * @param {number} at_s
 * @param {number} hz
 * @param {number} long_s
 * @param {number} [loud]
 */
export function note(audio, to, at_s, hz, long_s, loud = 0.5) {
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(0, at_s);
  gain.gain.linearRampToValueAtTime(loud, at_s + 0.015);
  gain.gain.exponentialRampToValueAtTime(loud * 0.5, at_s + long_s * 0.6);
  gain.gain.linearRampToValueAtTime(0, at_s + long_s);
  gain.connect(to);
  [1, 2, 3].forEach((harmonic) => {
    const part = new OscillatorNode(audio, { frequency: hz * harmonic });
    const share = new GainNode(audio, { gain: [0.7, 0.22, 0.08][harmonic - 1] });
    part.connect(share).connect(gain);
    part.start(at_s);
    part.stop(at_s + long_s + 0.02);
  });
}

/**
 * Three rising notes on a device.
 * @param {string} sink
 */
export async function testSound(sink) {
  const audio = await audioOn(sink);
  [523, 659, 784].forEach((hz, place) => note(audio, audio.destination, audio.currentTime + 0.05 + place * 0.28, hz, 0.26));
  setTimeout(() => void audio.close(), 1500);
}

/**
 * Record two seconds and play them.
 * @param {MediaStream} stream
 * @param {string} sink
 * @param {(now: string) => void} tell  recording, playing, or "" when it is over
 */
export async function recordEcho(stream, sink, tell) {
  const recorder = new MediaRecorder(stream);
  /** @type {Blob[]} */
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const over = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  tell("recording");
  setTimeout(() => recorder.state === "recording" && recorder.stop(), ECHO_MS);
  await over;
  const url = URL.createObjectURL(new Blob(pieces, { type: recorder.mimeType }));
  const player = new Audio(url);
  await player.setSinkId?.(sink).catch(() => undefined);
  tell("playing");
  player.onended = () => {
    URL.revokeObjectURL(url);
    tell("");
  };
  await player.play().catch(() => tell(""));
}
