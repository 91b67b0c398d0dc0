"""What follows from what: facts, rules, closure, cuts, skills and their reductions.

A knowledge base entails conclusions; a plan says which facts to remove so that some of them no
longer follow and others stay. Everything here is exact and knows no model: a model comes in
through its answers (`deduce`, `interrogate`). Skills stand to their reductions as facts to rules:
a tower says which skills remain computable from those that are kept, and writes the tasks that
teach them.
"""

from .asking import direct_answers, printed_reasons
from .back_doors import back_doors
from .base import KnowledgeBase
from .change import Change, changed
from .contraction import contract, everything, least
from .cuts import Cuts, minimal_cuts, minimal_supports
from .deduce import Deduction, deduce
from .deep import DeepScore, deep_score
from .entanglement import Cell, Entanglement, entanglement_plan, fallen
from .facts import Fact, written
from .families import FEMALE, KINSHIP, MALE, families, genders
from .formats import FORMATS, Format, positions
from .interrogate import Interrogation, Reasoned, interrogate
from .lineage import lineages
from .outlive import outlive
from .plan import plan
from .planned import Plan
from .proofs import Proof, Proofs
from .protection import PROTECTIONS, Protection, protect, teaching
from .read_outs import Ripple, Score, coherence, front_door, ripple, score
from .reading import read_answers, read_knowledge
from .relearning import relearn_curve, steps_until
from .rules import DeadRule, Rule, dead_rules
from .sheet import Sheet
from .skill_graph import SkillGraph
from .skills import Edge, Reduction, Skill
from .statements import Statements
from .task_stream import TaskStream
from .tasks import Tasks
from .text import parse_fact, parse_rule
from .towers import TOWERS, load_tower, tower
from .trace_damage import Dissociation, dissociation, trace_damage
from .vocabulary import Vocabulary
from .ways_out import WayOut
from .witness import Witness

__all__ = [
    "Cell", "Change", "Cuts", "DeadRule", "Deduction", "DeepScore", "Dissociation", "Edge",
    "Entanglement", "FEMALE", "FORMATS", "Fact", "Format", "Interrogation", "KINSHIP",
    "KnowledgeBase", "MALE", "PROTECTIONS", "Plan", "Proof", "Proofs", "Protection", "Reasoned",
    "Reduction", "Ripple", "Rule", "Score", "Sheet", "Skill", "SkillGraph", "Statements",
    "TOWERS", "TaskStream", "Tasks", "Vocabulary", "WayOut", "Witness", "back_doors", "changed",
    "coherence", "contract", "dead_rules", "deduce", "deep_score", "direct_answers",
    "dissociation", "entanglement_plan", "everything", "fallen", "families", "front_door",
    "genders", "interrogate", "least", "lineages", "load_tower", "minimal_cuts",
    "minimal_supports", "outlive", "parse_fact", "parse_rule", "plan", "positions",
    "printed_reasons", "protect", "read_answers", "read_knowledge", "relearn_curve", "ripple",
    "score", "steps_until", "teaching", "tower", "trace_damage", "written",
]
