"""Entry point of the web process: `python -m callserver.runtime.web_process CONFIG.json BEATS LISTENER [HTTPS_LISTENER]`."""

import sys
from pathlib import Path

from callserver import logs
from callserver.config import load_json
from callserver.media.urgency import LATER, rank
from callserver.runtime.pulse import BEAT_S, Beats
from callserver.web.main import run


def main() -> None:
    """Serve on the supervisor's listeners until SIGTERM."""
    config = load_json(Path(sys.argv[1]).read_text())
    logs.configure(config.log.level, config.log.format)
    rank(LATER)
    beats, *listeners = (int(number) for number in sys.argv[2:5])
    run(config, *listeners, beat=Beats(beats).beat, beat_every_s=BEAT_S)


if __name__ == "__main__":
    main()
