"""Who hears whom: from the shape that is wished to pjsua2's conference links, by difference. Engine's thread only."""

from collections.abc import Callable, Collection

import pjsua2 as pj

from callserver.media.call_worker.playback import Playback, PromptKey, keys_of
from callserver.media.protocol import ShapeOrder

Source = str | PromptKey  # a leg, or a prompt that plays
Link = tuple[Source, str]  # from a source to a leg


def links_of(order: ShapeOrder, placed: Collection[str], playing: Collection[PromptKey]) -> frozenset[Link]:
    """The links that make this shape with the legs and prompts that are there."""
    talk = [leg for leg in dict.fromkeys(order.talk) if leg in placed]
    links: set[Link] = {(one, other) for one in talk for other in talk if one != other}
    links.update((said, heard) for said, heard in order.also if said != heard and said in placed and heard in placed)
    for key in keys_of(order):
        if key in playing:
            links.update((key, leg) for leg in key.to if leg in placed)
    return frozenset(links)


class Bridge:
    """`media_of` gives a placed leg's port, anew each time: a kept one may by now be another leg's.

    Every leg also plays into `drain`, where nobody listens: the conference takes nothing from a port that has no listener,
    and a jitter buffer that fills up meanwhile is as many milliseconds of delay when somebody does.
    """

    def __init__(self, playback: Playback, media_of: Callable[[str], pj.AudioMedia], drain: Callable[[], pj.AudioMedia]) -> None:
        self._playback, self._media_of, self._drain = playback, media_of, drain
        self._placed: set[str] = set()
        self._wish = ShapeOrder((), ())
        self._links: frozenset[Link] = frozenset()

    def placed(self, leg: str, now_ns: int) -> None:
        """The leg's port is there: link it as the shape says."""
        self._placed.add(leg)
        self._media_of(leg).startTransmit(self._drain())
        self.apply(now_ns)

    def gone(self, leg: str) -> None:
        """The leg's port is gone, pjsua2 has taken its links with it."""
        self._placed.discard(leg)
        self._links = frozenset(link for link in self._links if leg not in link)

    def wish(self, order: ShapeOrder, now_ns: int) -> None:
        """Sound like this from now on."""
        self._wish = order
        self.apply(now_ns)

    def apply(self, now_ns: int) -> None:
        """Start the prompts that have a listener, link what is missing, unlink what is too much, let ended prompts go."""
        listened = [key for key in keys_of(self._wish) if any(leg in self._placed for leg in key.to)]
        self._playback.begin(listened, now_ns)
        wanted = links_of(self._wish, self._placed, self._playback.playing)
        for link in self._links - wanted:
            self._port(link[0]).stopTransmit(self._media_of(link[1]))
            self._links -= {link}
        for link in wanted - self._links:
            self._port(link[0]).startTransmit(self._media_of(link[1]))
            self._links |= {link}
        self._playback.keep_only(keys_of(self._wish))

    def tick(self, now_ns: int) -> None:
        """Repeat prompts that are due, end those that are over."""
        if self._playback.tick(now_ns):
            self.apply(now_ns)

    def _port(self, source: Source) -> pj.AudioMedia:
        return self._media_of(source) if isinstance(source, str) else self._playback.port(source)
