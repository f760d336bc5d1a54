"""Reports on replayed conversations: figures, regressions, comparisons, and the page that people read."""

from evals.report.baseline import Baseline, baseline_of, read_baseline
from evals.report.compare import compare
from evals.report.report import write_report
from evals.report.summary import summary_of

__all__ = ["Baseline", "baseline_of", "compare", "read_baseline", "summary_of", "write_report"]
