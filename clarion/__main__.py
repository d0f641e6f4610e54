"""`python -m clarion`: the same as `clarion`."""

from clarion.services.cli import main

main()
