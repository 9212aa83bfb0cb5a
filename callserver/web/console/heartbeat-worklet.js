/** Runs in the audio thread: posts its clock four times a second, so that the page can prove that audio runs. */

const EVERY_S = 0.25;

class Heartbeat extends AudioWorkletProcessor {
  constructor() {
    super();
    this.next_s = 0;
  }

  /** Plays nothing. */
  process() {
    if (currentTime >= this.next_s) {
      this.next_s = currentTime + EVERY_S;
      this.port.postMessage(Math.round(currentTime * 1000));
    }
    return true;
  }
}

registerProcessor("heartbeat", Heartbeat);
