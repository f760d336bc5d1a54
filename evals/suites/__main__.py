"""`python -m evals.suites`."""

from evals.suites.command import main

main()
