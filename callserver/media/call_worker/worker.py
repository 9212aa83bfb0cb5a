"""The call worker's control: carries out the switchboard's orders by its engine, front and capture, and reports.

A worker never decides. Control thread: connection, orders, beats, time. Engine thread: pjsua2. Front thread: packets.
Writer thread: captures. They reach each other by `submit`, `do`, `put` and `report` only, none of which waits.
"""

import os
import select
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pjsua2 as pj

from callserver.media.call_worker.capture import CaptureWriter
from callserver.media.call_worker.clock import boottime_ns
from callserver.media.call_worker.engine import Engine
from callserver.media.call_worker.front_leg import FrontLeg
from callserver.media.call_worker.inner_codec import INNER_PAYLOAD_TYPES
from callserver.media.call_worker.link import Link
from callserver.media.call_worker.rtp_front import RtpFront
from callserver.media.call_worker.sip_leg import InnerRefused
from callserver.media.capture_format import Header, Kind
from callserver.media.protocol import (
    VERSION,
    Beat,
    Close,
    Closed,
    Hello,
    Message,
    Open,
    Opened,
    Place,
    Placed,
    PromptMissing,
    Refused,
    Remove,
    Removed,
    Report,
    ShapeOrder,
    Strange,
)

MAX_LEGS = 4  # the library's
SECOND = 1_000_000_000
BEAT_NS = SECOND // 10
LOOK_NS = 5 * SECOND
SPARE_ALONE_NS = 60 * SECOND  # a spare that no switchboard has spoken with for so long ends itself
CALL_ALONE_NS = 600 * SECOND  # so does a call without switchboard whose legs have all been silent for so long
SEAL_LIMIT_NS = 30 * SECOND  # a disk that does not take the captures at the end is waited for so long
FAREWELL_NS = 2 * SECOND  # for the acknowledgement of `Closed`
ENGINE_ERRORS = (pj.Error, InnerRefused, LookupError)
