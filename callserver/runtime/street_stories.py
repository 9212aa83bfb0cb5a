"""Who stands at the demo's points and what they say. Texts and sounds only; `demo_sounds` makes files of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audio.speech import Voice

BREATH, TAP, TAPS = "breath", "tap", "taps"  # sounds that are no speech


@dataclass(frozen=True, slots=True)
class Line:
    """Something said; `sound` names a sound that is no speech, whose caption `text` is then. Or keys, or hanging up."""

    text: str = ""
    sound: str = ""
    keys: str = ""
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """One person's part. `title` says in a few words what happens there."""

    title: str
    voice: Voice
    lines: tuple[Line, ...]
    after: tuple[Line, ...] = ()
    waiting: tuple[Line, ...] = ()
    again: Line | None = None
    first_ms: int | None = None
    patience_ms: int | None = None
    reply_ms: int | None = None


def _said(*texts: str) -> tuple[Line, ...]:
    return tuple(Line(text) for text in texts)


FOLLOWED: Final = Story(
    "somebody is being followed",
    Voice("en-gb+f3", 165, 60),
    _said(
        "Hello? Somebody is following me. I think he is still there.",
        "I am on my own. He has been behind me since the bridge.",
        "He is tall, in a dark coat. He stopped at the shop over there.",
        "All right. I can see your camera. Please do not hang up.",
        "There is a car coming. Is that them?",
    ),
    after=_said("I am still here.", "Are you still there?", "Thank you. I feel better when somebody talks."),
    waiting=_said("Hello? Please, is anybody there?"),
    again=Line("Oh good, you are back. I thought I was alone again."),
)
FALL: Final = Story(
    "an old man has fallen",
    Voice("en-gb+m7", 120, 35),
    _said(
        "Hello? I have had a fall. I cannot get up properly.",
        "It is my hip. I came down on the kerb.",
        "I am seventy eight. My name is Arthur.",
        "No, I am not bleeding. It is only very cold here.",
        "Could you ring my daughter, please?",
    ),
    after=_said("I am not going anywhere, am I.", "Is somebody coming?"),
    waiting=_said("Hello? Can anybody hear me?"),
    again=Line("Hello again. I am still sitting here."),
)
FIGHT: Final = Story(
    "a fight outside a bar",
    Voice("en-gb-x-gbcwmd+m3", 190, 45),
    _said(
        "You need to send somebody. There are two lads fighting outside the bar.",
        "One of them is on the ground. They are kicking him.",
        "Five of them, maybe six. One has a bottle.",
        "They are running off now, towards the station.",
        "He is sitting up. He is holding his head.",
    ),
    after=_said("He says he is all right.", "I will wait with him."),
    waiting=_said("Come on, come on, pick up!"),
    again=Line("Yes, it is me again. He is still here."),
)
LOST_CHILD: Final = Story(
    "a lost child",
    Voice("en-gb+f5", 140, 92),
    _said(
        "I cannot find my mum.",
        "She was in the shop, and then she was gone.",
        "I am six. My name is Ella.",
        "She has a yellow coat.",
        "Are you going to look for her?",
    ),
    after=_said("Okay.", "I will stay here.", "Can you see her on the camera?"),
    waiting=_said("Mummy?"),
    again=Line("Hello? It made a noise and then you were gone."),
)
PRANK: Final = Story(
    "two who think it is funny",
    Voice("en-gb-scotland+m1", 180, 75),
    _said(
        "Hello! One large pizza with extra cheese, please.",
        "What, is this not the pizza place? Then why is there a button?",
        "Run! They can see us on the camera!",
    ),
    waiting=_said("It is ringing! It is really ringing!"),
)
SILENT: Final = Story(
    "somebody who cannot speak",
    Voice("en-gb"),
    (
        Line("(somebody breathes)", BREATH),
        Line("(one tap)", TAP),
        Line("(somebody breathes)", BREATH),
        Line("(two taps)", TAPS),
    ),
    after=(Line("(one tap)", TAP), Line("(somebody breathes)", BREATH), Line("(two taps)", TAPS)),
    again=Line("(two taps)", TAPS),
)
LOST_WAY: Final = Story(
    "somebody has missed the last bus",
    Voice("en-gb-x-rp+f2", 150, 50),
    _said(
        "Good evening. I am sorry to trouble you. Has the last bus gone?",
        "My telephone is empty, and I do not know anybody here.",
        "Is it safe to walk to the station from here?",
        "That is very kind of you.",
    ),
    after=_said("I will wait here, then.", "Thank you so much."),
    waiting=_said("Hello? Is this the right button?"),
    again=Line("Hello? We were cut off, I think."),
)
WINDOW: Final = Story(
    "somebody is breaking into a shop",
    Voice("en-gb-x-gbclan+m2", 160, 40),
    _said(
        "Somebody is at the back window of the chemist. I heard glass.",
        "Two of them. One is inside already.",
        "No, they have not seen me. I am round the corner.",
        "There is a white van, with its lights off.",
    ),
    after=_said("They are still in there.", "I am keeping out of sight."),
    waiting=_said("Hurry up, please."),
    again=Line("Yes, I am still here. The van has not moved."),
)

POINTS: Final[Mapping[str, Story]] = {
    "dl-blackwellgate": LOST_WAY,
    "dl-skinnergate": FIGHT,
    "dl-market-square": FOLLOWED,
    "dl-high-row": FALL,
    "dl-northgate": WINDOW,
    "dl-bondgate": PRANK,
    "dl-houndgate": SILENT,
    "dl-grange-road": LOST_WAY,
    "dl-tubwell-row": LOST_CHILD,
    "dl-crown-street": PRANK,
    "dl-victoria-road": FOLLOWED,
    "dl-south-park": SILENT,
}

POLICE: Final = Story(
    "the police desk",
    Voice("en-gb-x-rp+m6", 165, 40),
    _said(
        "Police control room, go ahead please.",
        "Understood. Can you describe them for me?",
        "A car is on its way. Four minutes.",
        "Please stay on the line until they are there.",
    ),
    after=_said("Understood.", "They are just round the corner now.", "Copy that."),
    first_ms=400,
    reply_ms=1_500,
)

NIGHT_OPERATOR: Final = Voice("en-gb+f4", 175, 45)
_BRISK_MS = 1_800  # people whose calls are over soon


def _answers(*lines: Line) -> Story:
    first = Line("Control room. What has happened?")
    return Story("the night desk", NIGHT_OPERATOR, (first, *lines), first_ms=300, patience_ms=_BRISK_MS)


def _calls(voice: Voice, *lines: Line) -> Story:
    return Story("a caller of the night", voice, lines, first_ms=_BRISK_MS, patience_ms=_BRISK_MS)


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that is made for the auditor: who presses, what both say, what the operator says that it was."""

    point: str
    caller: Story
    operator: Story
    outcome: str


NIGHT: Final = (
    PastCall(
        "nd-riverside",
        _calls(
            Voice("en-gb+f2", 170, 55),
            *_said("A man has taken my bag. He has a red jacket.", "Over the bridge.", "I can see the car. Thank you!"),
            Line(hang_up=True),
        ),
        _answers(Line("Which way did he go?"), Line(keys="*9"), Line("I am getting the police for you.")),
        "police",
    ),
    PastCall(
        "nd-station",
        _calls(Voice("en-gb-scotland+m2", 160, 40), *_said("The lift does not move.", "No, just me. I am all right.")),
        _answers(Line("Is anybody hurt?"), Line("Somebody will be there in ten minutes."), Line(hang_up=True)),
        "civic",
    ),
    PastCall(
        "nd-covered-way",
        _calls(Voice("en-gb+f5", 185, 85), *_said("Knock knock!", "Nobody!")),
        _answers(Line("Who is there, please?"), Line("This is for emergencies. Good night."), Line(hang_up=True)),
        "misuse",
    ),
    PastCall(
        "nd-riverside",
        _calls(Voice("en-gb"), Line("(breath)", BREATH), Line("(two taps)", TAPS)),
        _answers(Line("If you cannot speak, tap twice."), Line("I hear you. Help is coming."), Line(hang_up=True)),
        "no-contact",
    ),
)
