"""What the demo tells the person at the terminal."""

import sys
from pathlib import Path

from callserver.runtime.demo_parts import LOOPBACK, SEATS, WEB_ACCOUNTS, Demo

HEADPHONES = "Allow the microphone when the browser asks, and wear headphones: a loudspeaker answers itself."
LOOPBACK_ONLY = (
    "This machine has no network but itself. Browsers then carry no sound, unless they are told to:",
    "    chromium --allow-loopback-in-peer-connection     (close all of its windows first)",
    "    Firefox: media.peerconnection.ice.loopback = true in about:config",
    "Any network at all, a cable to nowhere included, makes this unnecessary. So does a softphone instead of the browser.",
)
NO_SOUND = (
    "No sound? Look whether the browser may use the microphone (the sign beside the address), and whether the console's level",
    "moves when you speak. The street shows what each point hears. Nothing helps? Answer with a softphone instead,",
)


def welcome(demo: Demo, lonely: bool) -> str:
    """What there is, what to do first, and what to do when no sound comes. `lonely`: the machine has loopback alone."""
    assert demo.plan is not None
    lines = [
        "",
        f"callserver demo: {demo.plan.name}, on this machine only.",
        "",
        "1. Open this, it is an operator's console:",
        f"       {demo.beside('operator')}",
        f"   {HEADPHONES}",
        "   Through the sound check, then press Go available.",
        "2. Open this beside it, it is the street:",
        f"       {demo.street_url}",
        "   Press a red button. The console rings: answer, talk, bring in the police, hang up, say what it was.",
        "   Nobody is available? Then the police desk answers.",
        "3. Open this, it is the auditor's: what was said, and what was done; a few finished calls are there after a minute:",
        f"       {demo.beside('auditor')}",
        "",
        *(f"   {role + ':':<15}{demo.beside(role)}" for role in WEB_ACCOUNTS if role != "auditor"),
        "",
        *(LOOPBACK_ONLY if lonely else ()),
        *NO_SOUND,
        f"as {SEATS[0]}, password {demo.passwords[SEATS[0]]}, domain {LOOPBACK}, proxy {demo.server}, no encryption, no STUN.",
        "",
        f"Scripts find everything, passwords included, in {demo.description}",
        "Type ? and Enter for what can be typed here. Ctrl-C ends the demo.",
        "",
    ]
    return "\n".join(lines)


def typed(demo: Demo) -> str:
    """What can be typed."""
    assert demo.plan is not None
    places = [f"   {number:2}  {demo.plan.points[point].place}" for number, point in enumerate(demo.simulated, 1)]
    outcomes = ", ".join(f"{digit} {demo.plan.outcomes[name].lower()}" for digit, name in demo.plan.outcome_digits.items())
    lines = [
        "A number and Enter presses there; `h 1` lets point 1 hang up (it is called back), `h p` the police desk.",
        *places,
        "A softphone: *1 available, *2 pause, *9 in a call brings in the police. Afterwards *5 and a digit say what it was",
        f"   (the digit alone while the line is still up): {outcomes}",
        f"A device or second softphone presses as dl-spare-1, password {demo.passwords['dl-spare-1']}, by calling {demo.help}",
        f"Look: {Path(sys.argv[0])} incidents list --config {demo.home / 'callserver.toml'}",
    ]
    return "\n".join(lines)
