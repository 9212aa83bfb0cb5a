"""What the processes say of themselves may be lost, and nobody fails for it."""

import subprocess
import sys
from pathlib import Path

SAYING = """
import resource, sys
import structlog
from callserver import logs
logs.configure("debug", "text")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for number in range(1_000):
    structlog.get_logger().warning("said", number=number)
print("went on")
"""


def test_a_log_on_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    """Standard error is a file that takes a hundred octets; who logs a thousand lines goes on."""
    file = tmp_path / "log"
    with file.open("wb") as log:
        done = subprocess.run([sys.executable, "-c", SAYING], stdout=subprocess.PIPE, stderr=log, text=True, check=False)
    assert done.stdout == "went on\n"
    assert file.stat().st_size == 100


def test_a_log_that_nobody_reads_any_more_stops_nobody() -> None:
    """As where the output goes to a program that ended."""
    with subprocess.Popen([sys.executable, "-c", SAYING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stdout is not None
        process.stderr.close()
        assert process.stdout.read() == "went on\n"
