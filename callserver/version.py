"""The version of this installation."""

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("callserver")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0+unknown"


VERSION = _version()
