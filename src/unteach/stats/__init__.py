"""Intervals, bootstrap, multiplicity, equivalence and paired tests: how sure a number is.

Thin over scipy; every interval names its method and the unit it replicates.
"""

from .bootstrap import bootstrap_interval, cluster_bootstrap, jackknife_error, two_way_bootstrap
from .equivalence import Equivalence, equivalence
from .intervals import Interval, difference_of_proportions, mean_interval, proportion_interval
from .intervals import in_unit as in_unit
from .multiplicity import benjamini_hochberg, holm
from .paired_tests import PairedTest, corrected_paired, paired
from .pooled_area import pooled_area, pooled_area_interval
from .ranking import area_interval, area_under_curve

__all__ = [
    "Equivalence",
    "Interval",
    "PairedTest",
    "area_interval",
    "area_under_curve",
    "benjamini_hochberg",
    "bootstrap_interval",
    "cluster_bootstrap",
    "corrected_paired",
    "difference_of_proportions",
    "equivalence",
    "holm",
    "jackknife_error",
    "mean_interval",
    "paired",
    "pooled_area",
    "pooled_area_interval",
    "proportion_interval",
    "two_way_bootstrap",
]
