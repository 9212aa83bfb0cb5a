"""Boards as the service would send them: a town at night, its operators, calls in every state."""

from typing import Any

Item = dict[str, Any]
Items = dict[str, Any]

NOW_MS = 1_764_039_165_000  # 02:52:45 in the plan's zone, a Tuesday in November
LONG_PLACE = "Northern car park, level 3, by the pay machine next to the pedestrian exit to Commercial Street"
MARKET = "Market Square, by the covered market"
CLASSES = ("emergency", "high", "normal", "information")

_PLACES = (
    ("dl-market-square", MARKET, 54.5241, -1.5540),
    ("dl-blackwellgate", "Blackwellgate, corner of Skinnergate", 54.5247, -1.5561),
    ("dl-skinnergate", "Skinnergate, middle of the street", 54.5256, -1.5572),
    ("dl-high-row", "High Row, top of the steps", 54.5249, -1.5549),
    ("dl-northgate", "Northgate, at the corner of Crown Street", 54.5270, -1.5534),
    ("dl-bondgate", "Bondgate, opposite the taxi rank", 54.5263, -1.5583),
    ("dl-houndgate", "Houndgate, by the car park", 54.5235, -1.5556),
    ("dl-grange-road", "Grange Road, at the bus stop", 54.5229, -1.5570),
    ("dl-tubwell-row", "Tubwell Row, by the bus stands", 54.5246, -1.5523),
    ("dl-crown-street", "Crown Street, in front of the library", 54.5261, -1.5520),
    ("dl-victoria-road", "Victoria Road, on the way to the station", 54.5215, -1.5524),
    ("dl-south-park", "South Park, gate at Victoria Embankment", 54.5177, -1.5571),
    ("dl-north-car-park", LONG_PLACE, 54.5279, -1.5551),
)
_OUTCOMES = (
    *(("safe", "Caller safe"), ("police", "Passed to the police"), ("civic", "Passed to civic enforcement")),
    *(("medical", "Ambulance called"), ("misuse", "Misuse of the point"), ("test", "Test of the point")),
    ("no-contact", "Nobody was heard"),
)


PAUSES = [{"id": "break", "name": "Break"}, {"id": "court", "name": "At court"}, {"id": "training", "name": "Training"}]


def at(seconds_ago: float) -> int:
    """UTC milliseconds of so many seconds ago."""
    return NOW_MS - round(seconds_ago * 1000)


def service(**change: Any) -> Item:
    """The item `service`."""
    outcomes = [{"id": id, "name": name, "digit": str(place + 1)} for place, (id, name) in enumerate(_OUTCOMES)]
    parties = [{"id": "police", "name": "Police control room"}, {"id": "civic", "name": "Civic enforcement"}]
    base = {"version": "0.2.0", "plan": "Darlington town centre", "plan_version": 7, "time_zone": "Europe/London"}
    return {
        **base,
        "started_ms": at(90_000),
        "outcomes": outcomes,
        "parties": parties,
        "groups": ["control-room"],
        "pauses": [],
        **change,
    }


def operator(id: str, name: str, state: str = "off", seconds: float = 1800, **change: Any) -> Item:
    """The item of an operator."""
    seat = "" if state == "off" else "browser"
    base = {"id": id, "name": name, "groups": ["control-room"], "state": state, "reason": "", "since_ms": at(seconds)}
    return {**base, "reachable": bool(seat), "seat": seat, "until_ms": None, "incident": None, "call": None, **change}


def point(id: str, place: str, latitude: float, longitude: float, **change: Any) -> Item:
    """The item of a help point."""
    base = {"id": id, "place": place, "queue": "town", "latitude": latitude, "longitude": longitude, "reachable": True}
    return {**base, "expects_register": True, "why": "", "since_ms": at(86_000), "incident": None, **change}


def incident(id: str, point: str, place: str, state: str, seconds: float, **change: Any) -> Item:
    """The item of an incident whose state began so many seconds ago."""
    began = {"opened_ms": at(seconds), "since_ms": at(seconds), "waiting_since_ms": at(seconds)}
    began["order_ms"] = at(seconds) + 600_000 * change.get("priority", 0)
    base = {
        "id": id,
        "point": point,
        "place": place,
        "language": "en",
        "latitude": 54.5241,
        "longitude": -1.5540,
        "queue": "town",
    }
    priority = change.pop("priority", 0)
    told = {"can_ask": False, "parked": False, "by_hand": False, "recall_ms": None, "only": "", "called_by": ""}
    told |= {"prefers": "", "cameras": [], "listed": "review" if state == "unreviewed" else "", "listed_why": "", "owner": ""}
    told |= {"listed_ms": None, "overdue_ms": None, "acknowledge_ms": None, "attempts": []}
    steps = {"until_ms": None, "step": 1, "steps": 4, "party": None, "presses": 1, "operator": None, "call": f"c-{id}"}
    return {**base, **began, **told, **steps, "priority": priority, "class": CLASSES[priority], "state": state, **change}


def leg(id: str, role: str, name: str, state: str = "up", seconds: float = 40, **change: Any) -> Item:
    """One leg of a call."""
    base = {"id": id, "role": role, "party": None, "name": name, "state": state, "since_ms": at(seconds), "sounding": True}
    return {**base, "mode": "", "muted": False, "accepted": True, "limit_ms": None, **change}


def call(id: str, incident: str, state: str, seconds: float, legs: list[Item], **change: Any) -> Item:
    """The item of a call."""
    base = {"id": id, "incident": incident, "state": state, "since_ms": at(seconds), "operator": None, "held": False}
    return {**base, "worker_replaced": 0, "legs": legs, "offer": None, **change}


def keyed(kind: str, *items: Item) -> Items:
    """Items by their keys."""
    return {f"{kind}/{item['id']}": item for item in items}


def town(mine: Item | None = None) -> Items:
    """A quiet night: two seats taken, one point out of reach, one never heard of."""
    mary = mine or operator("mary", "Mary Webb", "available", 2840)
    others = (
        operator("tom", "Tom Ashworth", "available", 412),
        operator("priya", "Priya Natarajan", "paused", 640),
        operator("james", "James Okafor-Lindqvist", "off"),
        operator("supervisor", "Supervisor", "off"),
    )
    points = [point(*place) for place in _PLACES]
    points[6] |= {"reachable": False, "why": "no answer to OPTIONS", "since_ms": at(5040)}
    points[11] |= {"reachable": None, "since_ms": None}
    queue = {"id": "town", "groups": ["control-room"], "ring_ms": 30_000}
    return {"service": service()} | keyed("operator", mary, *others) | keyed("point", *points) | keyed("queue", queue)


def ringing(place: str = MARKET, seconds: float = 7) -> Items:
    """One press, offered to two seats."""
    mine = operator("mary", "Mary Webb", "offered", seconds, incident="i1", call="c-i1")
    items = town(mine)
    items["operator/tom"] = operator("tom", "Tom Ashworth", "offered", seconds, incident="i1", call="c-i1")
    one = incident("i1", "dl-market-square", place, "waiting", seconds)
    legs = [leg("l1", "point", "", "early", seconds), leg("l2", "operator", "Mary Webb", "ringing", 5, party="mary")]
    offer = {"operators": ["mary", "tom"], "until_ms": at(-8)}
    items["point/dl-market-square"] |= {"incident": "i1"}
    return items | keyed("incident", one) | keyed("call", call("c-i1", "i1", "waiting", seconds, legs, offer=offer))


def ring(**change: Any) -> Item:
    """What the seat is told when that call rings."""
    base = {"type": "ring", "leg": "l2", "call": "c-i1", "incident": "i1", "point": "dl-market-square", "place": MARKET}
    return {**base, "class": "emergency", "again": False, **change}


def talking(place: str = MARKET, held: bool = False, legs: list[Item] | None = None, seconds: float = 192) -> Items:
    """Mary talks with the Market Square."""
    items = town(operator("mary", "Mary Webb", "talking", seconds, incident="i1", call="c-i1"))
    one = incident("i1", "dl-market-square", place, "attended", seconds, operator="mary", opened_ms=at(seconds + 12))
    mine = [leg("l1", "point", "", "up", seconds), leg("l2", "operator", "Mary Webb", "up", seconds, party="mary")]
    mine += legs or []
    made = call("c-i1", "i1", "talking", seconds, mine, operator="mary", held=held)
    items["point/dl-market-square"] |= {"incident": "i1"}
    return items | keyed("incident", one) | keyed("call", made)


def police(state: str = "ringing", seconds: float = 6) -> Item:
    """The leg of the police."""
    return leg("l3", "outside", "Police control room", state, seconds, party="police")


def colleague(mode: str = "private", state: str = "up", seconds: float = 9) -> Item:
    """Tom's seat, brought in."""
    return leg("l4", "supervisor", "Tom Ashworth", state, seconds, party="tom", mode=mode)


def asked() -> Items:
    """Police in the call, a colleague asked while the caller waits, a device that will soon end the call by itself."""
    items = talking(legs=[police("up", 30), colleague()])
    items["call/c-i1"]["legs"][0] |= {"limit_ms": at(-43)}
    items["call/c-i1"]["legs"][2] |= {"muted": True}
    return items


def level(rms: int, state: str = "good", why: str = "", clipped: int = 0) -> Item:
    """What the archivist heard of a side."""
    return {"rms": rms, "peak": min(0, rms + 12), "clipped": clipped, "state": state, "why": why}


def heard() -> Items:
    """Four in a call, each side's sound on the disk in another way, and a disk that fills."""
    items = talking(legs=[police("up", 30), colleague("join")])
    sides = {"l1": level(-22), "l2": level(-60, "doubtful", "dead"), "l3": level(-6, clipped=4), "l4": level(-58, "quiet")}
    items["sound/c-i1"] = {"call": "c-i1", "measured_ms": at(1), "legs": sides}
    disk = {"free_bytes": 41 << 30, "total_bytes": 200 << 30, "bytes_per_hour": 1 << 30, "measured_ms": at(20)}
    items["disk/data"] = {"id": "data", **disk, "hours_left": 41.0}
    text = "mary sends only a machine's silence: muted, or its microphone is dead"
    items["alarm/recorded:l2"] = {"key": "recorded:l2", "text": text, "raised_ms": at(4)}
    return items


def to_take(mine: Item | None = None) -> Items:
    """One waits, one is parked, one goes on with the police alone, one is a colleague's."""
    items = town(mine)
    items |= keyed(
        "incident",
        incident("w1", "dl-bondgate", "Bondgate, opposite the taxi rank", "waiting", 21),
        incident("w2", "dl-crown-street", "Crown Street, in front of the library", "waiting", 80, priority=2)
        | {"parked": True, "by_hand": True, "prefers": "tom", "recall_ms": at(-71)},
        incident("a1", "dl-northgate", "Northgate, at the corner of Crown Street", "attended", 340),
        incident("a2", "dl-high-row", "High Row, top of the steps", "attended", 60, operator="tom"),
    )
    left = [leg("n1", "point", "", "up", 340), leg("n3", "outside", "Police control room", "up", 200, party="police")]
    toms = [leg("h1", "point", "", "up", 60), leg("h2", "operator", "Tom Ashworth", "up", 60, party="tom")]
    items |= keyed("call", call("c-a1", "a1", "talking", 340, left), call("c-a2", "a2", "talking", 60, toms, operator="tom"))
    items["operator/tom"] = operator("tom", "Tom Ashworth", "talking", 60, incident="a2", call="c-a2")
    return items


def listening(mode: str = "listen") -> Items:
    """The supervisor's seat is in Tom's call."""
    items = to_take()
    items["call/c-a2"]["legs"].append(leg("h3", "supervisor", "Mary Webb", "up", 12, party="mary", mode=mode))
    return items


def interrupted(state: str = "ringing") -> Items:
    """A point with cameras whose conversation made way before; another waits that did."""
    items = ringing() if state == "ringing" else talking()
    cameras = [{"name": "Market Square, from the clock", "url": "https://cameras.example/1"}]
    cameras.append({"name": "Covered market, entrance", "url": "https://cameras.example/2"})
    change = {"cameras": cameras, "priority": 2, "class": "normal", "can_ask": True, "parked": state == "ringing"}
    items["incident/i1"] |= change
    items["operator/priya"] |= {"reason": "At court"}
    parked = incident("i2", "dl-bondgate", "Bondgate, opposite the taxi rank", "waiting", 95, parked=True, priority=3, call=None)
    return items | keyed("incident", parked)


def wrap_up(place: str = MARKET, left_s: float = 48) -> Items:
    """The conversation is over; its outcome is asked for."""
    items = town(operator("mary", "Mary Webb", "wrap-up", 12, incident="i1", call=None, until_ms=at(-left_s)))
    one = incident("i1", "dl-market-square", place, "wrap-up", 12, operator="mary", until_ms=at(-left_s), opened_ms=at(230))
    return items | keyed("incident", one)


def busy() -> Items:
    """A bad night: calls wait, others are talked with, two are to be closed, alarms ring."""
    items = talking()
    items |= keyed(
        "incident",
        incident("w1", "dl-north-car-park", LONG_PLACE, "waiting", 74, step=3, party="police"),
        incident("w2", "dl-bondgate", "Bondgate, opposite the taxi rank", "waiting", 21, presses=3),
        incident("w3", "dl-crown-street", "Crown Street, in front of the library", "waiting", 12, priority=2),
        incident("a1", "dl-northgate", "Northgate, at the corner of Crown Street", "attended", 340, operator="tom"),
        incident("u1", "dl-high-row", "High Row, top of the steps", "unreviewed", 1900),
        incident("u2", "dl-grange-road", "Grange Road, at the bus stop", "unreviewed", 5200),
    )
    items |= keyed("call", call("c-w2", "w2", "waiting", 21, [], offer={"operators": ["priya"], "until_ms": at(-4)}))
    items["operator/tom"] = operator("tom", "Tom Ashworth", "talking", 340, incident="a1", call="c-a1")
    items["operator/priya"] = operator("priya", "Priya Natarajan", "offered", 4, incident="w2", call="c-w2", seat="softphone")
    items["alarm/unanswered:w1"] = {"key": "unanswered:w1", "text": f"Nobody has answered {LONG_PLACE} yet.", "raised_ms": at(44)}
    items["alarm/disk"] = {"key": "disk", "text": "The disk of the recordings is 92 % full.", "raised_ms": at(7300)}
    return items


def to_close() -> Items:
    """A quiet night with two incidents that nobody has closed."""
    items = town()
    return items | {key: item for key, item in busy().items() if key.startswith("incident/u")}


def crowd(count: int) -> Items:
    """So many waiting calls."""
    places = [place for _, place, _, _ in _PLACES]
    waiting = [incident(f"n{n:03}", f"p{n:03}", places[n % len(places)], "waiting", 5 + n, priority=n % 4) for n in range(count)]
    return town() | keyed("incident", *waiting)


def listed(alone: bool = False) -> Items:
    """A call-back list: one past its time, one that was passed, one that is nobody's. `alone`: no colleague is on duty."""
    items = town()
    if alone:
        items["operator/tom"] = operator("tom", "Tom Ashworth", "off")
    tried = [{"at_ms": at(120), "operator": "mary", "result": "busy (486)"}, {"at_ms": at(60), "operator": "", "result": ""}]
    gone = {"listed": "call-back", "listed_why": "the caller is gone, and nobody has spoken with them"}
    late = {**gone, "owner": "mary", "overdue_ms": at(110), "listed_ms": at(410), "attempts": tried}
    passed = {"owner": "mary", "acknowledge_ms": at(-80), "listed_ms": at(840), "overdue_ms": at(-960)}
    passed |= {"listed_why": "the wrap-up ended without an outcome"}
    return items | keyed(
        "incident",
        incident("l1", "dl-bondgate", "Bondgate, opposite the taxi rank", "waiting", 420, **late),
        incident("l2", "dl-high-row", "High Row, top of the steps", "unreviewed", 900, **passed),
        incident("l3", "dl-northgate", LONG_PLACE, "waiting", 200, **gone, overdue_ms=at(-130), listed_ms=at(170)),
    )
