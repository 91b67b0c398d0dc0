"""What follows from what: facts, rules, closure, cuts, and plans.

A knowledge base entails conclusions; a plan says which facts to remove so that some of them no
longer follow and others stay. Everything here is exact and knows no model: a model comes in
through its answers (`deduce`, `interrogate`).
"""

from .base.base import KnowledgeBase
from .base.datalog_text import parse_fact, parse_rule
from .base.facts import Fact, written
from .base.proofs import Proof, Proofs
from .base.proofs import shortest_proof as shortest_proof
from .base.reading import load_rules as load_rules
from .base.reading import read_answers, read_knowledge
from .base.rules import DeadRule, Rule, dead_rules
from .planning.cuts import Cuts, contract, everything, least, minimal_cuts, minimal_supports
from .planning.deep_unlearning import DeepScore, deep_score
from .planning.outlive import outlive
from .planning.pictures import branch as branch
from .planning.pictures import dot as dot
from .planning.pictures import picture as picture
from .planning.plan import plan
from .planning.plan_result import Plan
from .planning.ways_out import WayOut
from .planning.witness import Witness
from .probing.deduce import Deduction, deduce
from .probing.families import FEMALE, KINSHIP, MALE, families, genders, lineages
from .probing.interrogate import Answers as Answers
from .probing.interrogate import Interrogation, Reasoned, interrogate, relearn_curve, steps_until
from .probing.statement_tokens import Statements, direct_answers, printed_reasons

__all__ = [
    "Cuts",
    "DeadRule",
    "Deduction",
    "DeepScore",
    "FEMALE",
    "Fact",
    "Interrogation",
    "KINSHIP",
    "KnowledgeBase",
    "MALE",
    "Plan",
    "Proof",
    "Proofs",
    "Reasoned",
    "Rule",
    "Statements",
    "WayOut",
    "Witness",
    "contract",
    "dead_rules",
    "deduce",
    "deep_score",
    "direct_answers",
    "everything",
    "families",
    "genders",
    "interrogate",
    "least",
    "lineages",
    "minimal_cuts",
    "minimal_supports",
    "outlive",
    "parse_fact",
    "parse_rule",
    "plan",
    "printed_reasons",
    "read_answers",
    "read_knowledge",
    "relearn_curve",
    "steps_until",
    "written",
]
