"""Public suites, data by path: `python -m evals.suites --help` names them and the files that they read."""
