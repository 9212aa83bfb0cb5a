/**
 * What lies between a recording and the loudspeaker: each side by itself, as it was recorded or levelled, then to the ears.
 * The recording is not touched; with nothing levelled each sample arrives as it is.
 */

import { factor } from "./replay-level.js";

const FADE_S = 0.01;
/** Nothing that was made louder clips: full scale comes out at -6 dB. */
const LIMIT = { threshold: -6, knee: 0, ratio: 20, attack: 0.003, release: 0.15 };
/** The node makes up for 0.6 of what it takes from full scale (Web Audio API 1.19.4); this takes it back, so that +6 dB are 6 dB. */
const AS_IT_WAS = factor(LIMIT.threshold * (1 - 1 / LIMIT.ratio) * 0.6);

/**
 * @param {HTMLMediaElement} player @param {number[]} ears what each side gives to each ear: [first to left, first to right, second to left, second to right]
 */
export function makeGraph(player, ears) {
  const audio = new AudioContext();
  const sides = audio.createChannelSplitter(2);
  const out = audio.createChannelMerger(2);
  audio.createMediaElementSource(player).connect(sides);
  const lanes = [0, 1].map((side) => lane(audio, sides, side));
  const gains = ears.map((value, place) => {
    const gain = new GainNode(audio, { gain: value });
    lanes[place >> 1].out.connect(gain);
    gain.connect(out, 0, place & 1);
    return gain;
  });
  out.connect(audio.destination);
  const fade = (/** @type {AudioParam} */ param, /** @type {number} */ value) => param.setTargetAtTime(value, audio.currentTime, FADE_S);

  return {
    resume: () => audio.resume(),
    /** @param {number[]} values */
    hear(values) {
      gains.forEach((gain, place) => fade(gain.gain, values[place]));
    },
    /**
     * As recorded (null), or with gains in dB.
     * @param {number[] | null} levels
     */
    level(levels) {
      lanes.forEach(({ dry, boost, wet }, side) => {
        fade(dry.gain, levels ? 0 : 1);
        fade(boost.gain, factor(levels?.[side] ?? 0));
        fade(wet.gain, levels ? AS_IT_WAS : 0);
      });
    },
  };
}

/** @param {AudioContext} audio @param {ChannelSplitterNode} sides @param {number} side */
function lane(audio, sides, side) {
  const dry = new GainNode(audio);
  const boost = new GainNode(audio);
  const limiter = new DynamicsCompressorNode(audio, LIMIT);
  const wet = new GainNode(audio, { gain: 0 });
  const out = new GainNode(audio, { channelCount: 1, channelCountMode: "explicit" });
  sides.connect(dry, side).connect(out);
  sides.connect(boost, side).connect(limiter).connect(wet).connect(out);
  return { dry, boost, wet, out };
}
