"""What follows from what: facts, rules, closure, cuts, skills and their reductions.

A knowledge base entails conclusions; a plan says which facts to remove so that some of them no
longer follow and others stay. Everything here is exact and knows no model: a model comes in
through its answers (`deduce`).
"""

from .base import KnowledgeBase
from .contraction import contract, everything, least
from .cuts import Cuts, minimal_cuts, minimal_supports
from .deduce import Deduction, deduce
from .deep import DeepScore, deep_score
from .facts import Fact, written
from .families import FEMALE, KINSHIP, MALE, families, genders
from .outlive import outlive
from .plan import plan
from .planned import Plan
from .proofs import Proof, Proofs
from .reading import read_answers, read_knowledge
from .rules import DeadRule, Rule, dead_rules
from .text import parse_fact, parse_rule
from .ways_out import WayOut
from .witness import Witness

__all__ = [
    "Cuts", "DeadRule", "Deduction", "DeepScore", "FEMALE", "Fact", "KINSHIP", "KnowledgeBase",
    "MALE", "Plan", "Proof", "Proofs", "Rule", "WayOut", "Witness", "contract", "dead_rules",
    "deduce", "deep_score", "everything", "families", "genders", "least", "minimal_cuts",
    "minimal_supports", "outlive", "parse_fact", "parse_rule", "plan", "read_answers",
    "read_knowledge", "written",
]
