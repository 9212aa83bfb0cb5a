"""Entry point of the web process: `python -m callserver.runtime.web_process CONFIG.json LISTENER`."""

import os
import sys
from pathlib import Path

from callserver import logs
from callserver.config import load_json
from callserver.web.main import run

NICENESS = 5  # a heavy search must not delay a press


def main() -> None:
    """Serve on the supervisor's listener until SIGTERM."""
    config = load_json(Path(sys.argv[1]).read_text())
    logs.configure(config.log.level, config.log.format)
    os.nice(NICENESS)
    run(config, int(sys.argv[2]))


if __name__ == "__main__":
    main()
