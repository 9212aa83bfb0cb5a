/** Microphone and loudspeaker of this page: which devices, whether they run, how loud it is. Words for what is wrong come from here. */

import { level, recordEcho, testSound } from "./sound-check.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Settings} Settings */
/** @typedef {ReturnType<typeof makeSound>} SeatSound */

const WORKLET = "/console/heartbeat-worklet.js";
const RAW = new URLSearchParams(location.search).get("raw") === "1";

/** @type {Record<string, string>} name of the DOMException -> our fault */
const FAULTS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "busy", AbortError: "busy" };

/**
 * The sound of this page; `say` hears of devices and faults.
 * @param {(message: Message) => void} say
 * @param {() => import("./types.js").State} state
 */
export function makeSound(say, state) {
  /** @type {MediaStream | null} */
  let stream = null;
  /** @type {AudioContext | null} */
  let audio = null;
  /** @type {AnalyserNode | null} */
  let meter = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  let source = null;
  let addressed = true;
  let opening = 0;
  let last = "";
  const player = new Audio();
  player.autoplay = true;
  /** @type {Map<string, string>} */
  const troubles = new Map();
  /** @type {((audio_ms: number) => void) | null} */
  let beat = null;
  /** @type {((track: MediaStreamTrack) => void) | null} */
  let changed = null;
  /** @type {((what: string, text: string) => void) | null} */
  let troubled = null;

  function trouble(/** @type {string} */ what, /** @type {string} */ text) {
    if ((troubles.get(what) ?? "") !== text) {
      text ? troubles.set(what, text) : troubles.delete(what);
      troubled?.(what, text);
    }
  }

  function fault(/** @type {string} */ name, detail = "") {
    say({ type: "sound", sound: { fault: name, detail } });
    trouble("microphone", name ? detail || name : "");
  }

  async function devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const of = (/** @type {string} */ kind) => all.filter((one) => one.kind === kind && one.deviceId).map(({ deviceId, label }) => ({ id: deviceId, label: label || "Device without a name" }));
    say({ type: "sound", sound: { microphones: of("audioinput"), speakers: of("audiooutput"), notify: "Notification" in window ? Notification.permission : "none" } });
  }

  /** Open the microphone that the settings name, and the loudspeaker. Again whenever they change. */
  async function open() {
    if (!window.isSecureContext || !navigator.mediaDevices) {
      return fault("insecure");
    }
    const settings = state().settings;
    const wanted = JSON.stringify(wish(settings));
    if (wanted !== last || stream?.getAudioTracks()[0]?.readyState !== "live") {
      opening += 1;
      const mine = opening;
      try {
        const found = await microphone(settings);
        mine === opening ? adopt(found, wanted) : found.getTracks().forEach((one) => one.stop());
      } catch (error) {
        const { name, message } = /** @type {DOMException} */ (error);
        fault(FAULTS[name] ?? "failed", message);
      }
    }
    await Promise.all([devices(), speak(settings), start().catch((error) => fault("failed", String(error.message ?? error)))]);
  }

  async function microphone(/** @type {Settings} */ settings) {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: wish(settings) });
    } catch (error) {
      const gone = settings.microphone && FAULTS[/** @type {DOMException} */ (error).name] === "none";
      if (!gone) {
        throw error;
      }
      return navigator.mediaDevices.getUserMedia({ audio: wish({ ...settings, microphone: "" }) }); // the chosen one is unplugged
    }
  }

  function adopt(/** @type {MediaStream} */ found, /** @type {string} */ wanted) {
    stream?.getTracks().forEach((one) => one.stop());
    stream = found;
    last = wanted;
    const track = found.getAudioTracks()[0];
    track.enabled = !state().muted;
    track.onended = () => fault("lost", "the microphone was unplugged or taken away");
    track.onmute = () => fault("silent", "the microphone gives no sound");
    track.onunmute = () => fault("");
    fault(track.muted ? "silent" : "");
    measure();
    changed?.(track);
  }

  function measure() {
    source?.disconnect();
    if (audio && stream && meter) {
      source = audio.createMediaStreamSource(stream);
      source.connect(meter);
    }
  }

  /** The audio thread, with the heartbeat in it. */
  async function start() {
    if (!audio) {
      audio = new AudioContext({ latencyHint: "interactive" });
      audio.onstatechange = () => say({ type: "sound", sound: { locked: audio?.state === "suspended" } });
      meter = new AnalyserNode(audio, { fftSize: 1024 });
      await audio.audioWorklet.addModule(WORKLET);
      const node = new AudioWorkletNode(audio, "heartbeat", { numberOfInputs: 0, outputChannelCount: [1] });
      let ticks = 0;
      node.port.onmessage = (event) => {
        ticks += 1;
        ticks % 2 ? undefined : beat?.(event.data);
      };
      node.connect(audio.destination);
      measure();
    }
    const slow = new Promise((resolve) => setTimeout(resolve, 500));
    await Promise.race([audio.resume(), slow]);
    say({ type: "sound", sound: { locked: audio.state === "suspended" } });
  }

  async function speak(/** @type {Settings} */ settings) {
    try {
      await player.setSinkId?.(settings.speaker);
      trouble("speaker", "");
    } catch {
      await player.setSinkId?.("").catch(() => trouble("speaker", "no loudspeaker can be used"));
    }
  }

  function play(/** @type {MediaStream} */ heard) {
    player.srcObject = heard;
    player.play().catch((error) => error.name === "NotAllowedError" && say({ type: "sound", sound: { locked: true } }));
  }

  /** After a click or a key: what the browser held back may sound now. */
  async function unlock() {
    await start();
    player.srcObject ? play(/** @type {MediaStream} */ (player.srcObject)) : undefined;
  }

  navigator.mediaDevices?.addEventListener("devicechange", () => void devices().then(() => (troubles.has("microphone") ? open() : speak(state().settings))));

  return {
    open,
    play,
    unlock,
    player,
    track: () => stream?.getAudioTracks().find((one) => one.readyState === "live") ?? null,
    troubles: () => [...troubles],
    mute: (/** @type {boolean} */ on) => stream?.getAudioTracks().forEach((one) => (one.enabled = !on)),
    level: () => level(meter),
    test: (/** @type {string} */ sink) => testSound(sink),
    echo: () => (stream ? recordEcho(stream, state().settings.speaker, (now) => say({ type: "sound", sound: { echo: now } })) : Promise.resolve()),
    failed: (/** @type {string} */ text) => fault("failed", text),
    addressed: (/** @type {boolean} */ yes) => {
      yes === addressed ? undefined : fault(yes ? "" : "no-address");
      addressed = yes;
    },
    onBeat: (/** @type {typeof beat} */ to) => (beat = to),
    onTrack: (/** @type {typeof changed} */ to) => (changed = to),
    onTrouble: (/** @type {typeof troubled} */ to) => (troubled = to),
    close: () => {
      opening += 1;
      last = "";
      stream?.getTracks().forEach((one) => one.stop());
      stream = null;
      player.srcObject = null;
    },
  };
}

/**
 * What is asked of the browser.
 * @param {Settings} settings
 * @returns {MediaTrackConstraints}
 */
function wish(settings) {
  const of = (/** @type {boolean} */ on) => on && !RAW;
  return {
    ...(settings.microphone ? { deviceId: { exact: settings.microphone } } : {}),
    echoCancellation: of(settings.echo_cancellation),
    noiseSuppression: of(settings.noise_suppression),
    autoGainControl: of(settings.gain_control),
    channelCount: 1,
  };
}
