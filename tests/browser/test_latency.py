"""How long a sound takes between Web Audio in Chromium and RTP at the point, both ways, and what a seat costs.

Bursts, each stamped where it begins: in an AudioWorklet of the page, and by the kernel at the point's socket. The page's
microphone and loudspeaker are left out; Chromium's own jitter buffer is not. `pytest -s` prints what docs/performance.md reports.
"""

import statistics
import time
from pathlib import Path

import pytest

from tests.browser.console import Console, console
from tests.eventually import eventually
from tests.loopback.desk import desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import CODECS, strength
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

BURSTS = 20
BURST_S, EVERY_S = 0.1, 0.5
UP_TARGET_MS, DOWN_TARGET_MS = 60, 90
NOISY = 1.5  # a shared machine may be so much worse than the target before this fails

WORKLETS = """
async () => {
  const code = `
    class Burst extends AudioWorkletProcessor {
      constructor() {
        super();
        this.left = 0;
        this.port.onmessage = () => { this.left = sampleRate / 10; this.at = 0; };
      }
      process(_, [[out]]) {
        if (this.left > 0) {
          if (!this.at) { this.at = Date.now(); this.port.postMessage(this.at); }
          for (let i = 0; i < out.length; i++) out[i] = 0.4 * Math.sin(2 * Math.PI * 1000 * (currentFrame + i) / sampleRate);
          this.left -= out.length;
        }
        return true;
      }
    }
    class Ear extends AudioWorkletProcessor {
      constructor() { super(); this.quiet = 0; }
      process([input]) {
        const loud = (input[0] ?? []).some((one) => Math.abs(one) > 0.03);
        if (loud && this.quiet > sampleRate / 10) this.port.postMessage(Date.now());
        this.quiet = loud ? 0 : this.quiet + 128;
        return true;
      }
    }
    registerProcessor("burst", Burst);
    registerProcessor("ear", Ear);
  `;
  const audio = new AudioContext({ latencyHint: "interactive" });
  await audio.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const burst = new AudioWorkletNode(audio, "burst");
  const out = audio.createMediaStreamDestination();
  burst.connect(out);
  const ear = new AudioWorkletNode(audio, "ear");
  const peer = window.spied.peers.at(-1);
  audio.createMediaStreamSource(new MediaStream([peer.getReceivers()[0].track])).connect(ear);
  await peer.getSenders()[0].replaceTrack(out.stream.getAudioTracks()[0]);
  window.measured = { audio, burst, sent: [], heard: [] };
  burst.port.onmessage = (event) => window.measured.sent.push(event.data);
  ear.port.onmessage = (event) => window.measured.heard.push(event.data);
}
"""


def _gate(point: Phone) -> list[float]:
    """Have the point send silence but for bursts of its tone; the times at which bursts began."""
    began: list[float] = []
    send, started = point.rtp.send, time.monotonic()

    def gated(payload: bytes, *more: object, **named: object) -> None:
        number, into_s = divmod(time.monotonic() - started, EVERY_S)
        if into_s >= BURST_S:
            payload = b"\xd5" * len(payload)  # A-law silence
        elif len(began) <= number:
            began.extend([time.time()] * (int(number) + 1 - len(began)))
        send(payload, *more, **named)  # type: ignore[arg-type]

    point.rtp.send = gated  # type: ignore[method-assign]
    return began


async def _wait(seconds: float) -> None:
    began = now_s()
    await eventually(lambda: now_s() - began > seconds, seconds + 2)


async def _up_ms(point: Phone, seat: Console) -> list[float]:
    """From the first sample of a burst in the page to the first packet at the point that holds it."""
    for _ in range(BURSTS):
        await seat.page.evaluate("() => window.measured.burst.port.postMessage(1)")
        await _wait(0.35)
    sent = await seat.page.evaluate("() => window.measured.sent")
    rate, _, decode, _ = CODECS[point.rtp.codec]
    loud = [p.at_s for p in point.rtp.heard if strength(decode(p.payload), 1000.0, rate) > 0.02]
    return [1000 * next(at for at in loud if at > ms / 1000) - ms for ms in sent]


async def _down_ms(point: Phone, seat: Console) -> list[float]:
    """From the first packet of a burst at the point to the first sample of it in the page."""
    began = _gate(point)
    await _wait(BURSTS * EVERY_S)
    heard = await seat.page.evaluate("() => window.measured.heard")
    starts = [1000 * at for at in began[2:-1]]
    return [next(ms for ms in heard if ms > start) - start for start in starts]


async def _share_of_a_core(service: Service, seconds: float) -> float:
    """What the seat's worker takes of one core, in per cent, by the scheduler's own count."""
    (pid,) = [row["pid"] for row in service.processes() if row["name"] == "seat-worker" and not row["spare"]]
    before, began = _ran_ns(pid), now_s()
    await _wait(seconds)
    return (_ran_ns(pid) - before) / 1e7 / (now_s() - began)


def _ran_ns(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


@pytest.mark.real
@pytest.mark.long
async def test_sound_takes_no_longer_than_promised(tmp_path: Path, ports: Ports) -> None:
    """Medians of twenty bursts each way."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"], wrap_up="0s")) as service:
        async with desk(service) as people, console(service, tmp_path, "op1", 700.0, bypass_csp=True) as seat:
            await seat.on_duty()
            await _wait(3)
            idle = await _share_of_a_core(service, 5)
            point = await people.phone("p1", 440.0)
            pressing = point.pressing()
            await seat.page.get_by_role("button", name="Answer").wait_for()
            await seat.press("Space")
            await eventually(lambda: seat.hears_tone(440.0), 6)
            await pressing
            point.rtp.muted = False
            await seat.page.evaluate(WORKLETS)
            await _wait(4)
            talking = await _share_of_a_core(service, 5)
            print(f"a seat takes {idle:.2f} % of a core idle, {talking:.2f} % talking")
            assert idle < 1.0
            up = await _up_ms(point, seat)
            down = await _down_ms(point, seat)
            for name, values in (("Chromium to the wire", up), ("wire to Chromium", down)):
                print(f"{name}: median {statistics.median(values):.0f} ms, {min(values):.0f} to {max(values):.0f}")
            assert statistics.median(up) < NOISY * UP_TARGET_MS
            assert statistics.median(down) < NOISY * DOWN_TARGET_MS
