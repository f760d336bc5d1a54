"""`python -m server` is `visavis`."""

from server.command import main

main()
