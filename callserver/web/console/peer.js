/** One peer connection of the seat: G.722 in both directions, no server in between, every address in the offer. */

const GATHERED_AFTER_MS = 2000;

/**
 * A new connection for this microphone track. `state` is told connected, failed and so on, `heard` gets the stream of the other side.
 * @param {MediaStreamTrack} track
 * @param {{state: (state: string) => void, heard: (stream: MediaStream) => void}} on
 */
export function makePeer(track, on) {
  const peer = new RTCPeerConnection({ iceServers: [] });
  const transceiver = peer.addTransceiver(track, { direction: "sendrecv", streams: [new MediaStream([track])] });
  preferG722(transceiver);
  peer.ontrack = (event) => on.heard(event.streams[0] ?? new MediaStream([event.track]));
  peer.onconnectionstatechange = () => on.state(peer.connectionState);
  return {
    peer,
    offer: () => offer(peer),
    answer: (/** @type {string} */ sdp) => peer.setRemoteDescription({ type: "answer", sdp }),
    speak: (/** @type {MediaStreamTrack} */ other) => transceiver.sender.replaceTrack(other),
    close: () => close(peer),
  };
}

/** @param {RTCRtpTransceiver} transceiver */
function preferG722(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities("audio")?.codecs ?? [];
  const wanted = codecs.filter((one) => one.mimeType.toLowerCase() === "audio/g722");
  if (!wanted.length) {
    throw new Error("This browser does not speak G.722.");
  }
  transceiver.setCodecPreferences(wanted);
}

/**
 * The offer with the addresses gathered in it; after 2 s with those that are there.
 * @param {RTCPeerConnection} peer
 */
async function offer(peer) {
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  return peer.localDescription?.sdp ?? "";
}

/** @param {RTCPeerConnection} peer @returns {Promise<void>} */
function gathered(peer) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERED_AFTER_MS);
    const look = () => {
      if (peer.iceGatheringState === "complete") {
        clearTimeout(timer);
        resolve();
      }
    };
    peer.onicegatheringstatechange = look;
    look();
  });
}

/** @param {RTCPeerConnection} peer */
function close(peer) {
  peer.ontrack = null;
  peer.onconnectionstatechange = null;
  peer.onicegatheringstatechange = null;
  peer.close();
}
