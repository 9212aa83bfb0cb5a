"""The wheel holds what the service needs, and works where there is no checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TRY = """
import callserver, dialplans, audio
from audio.prompts import phrases
from dialplans.load import SHIPPED, shipped
from callserver.runtime.first import migrate
from callserver.store.engine import open_store
from callserver.store.journal import verify
from pathlib import Path
assert "site" in callserver.__file__, callserver.__file__
assert all(shipped(name).points for name in SHIPPED)
assert (Path(callserver.__file__).parent / "store" / "evidence" / "verify_journal.py").is_file()
assert (Path(dialplans.__file__).parent / "schema.json").is_file()
assert all((Path(callserver.__file__).parent / "runtime" / name).is_file() for name in ("street/street.js", "demo-night.toml"))
assert len(list((Path(callserver.__file__).parent / "planning" / "storms").glob("*.toml"))) == 5
assert all((Path(audio.__file__).parent / "prompts" / p.language / f"{p.name}.flac").is_file() for p in phrases())
store = open_store(Path("data"))
migrate(store)
assert verify(store).ok
"""


def test_the_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    """Plans, prompts and migrations are in it; tests are not."""
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(tmp_path), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert not [name for name in packed.namelist() if name.startswith(("tests/", "packaging/"))]
        packed.extractall(tmp_path / "site")
    away = tmp_path / "elsewhere"
    away.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONSAFEPATH": "1"}
    tried = subprocess.run([sys.executable, "-c", TRY], cwd=away, env=environment, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
