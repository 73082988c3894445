"""`python -m chatconform`."""

from chatconform.cli import main

main()
