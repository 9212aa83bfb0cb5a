"""`python -m callserver` is the command `callserver`."""

from callserver.cli import main

main()
