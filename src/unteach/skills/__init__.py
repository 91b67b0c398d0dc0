"""Skills and what they stand on: towers, the tasks that teach them, and how one is lost.

Skills stand to their reductions as facts to rules: a tower says which skills remain computable
from those that are kept, and writes the tasks that teach them.
"""

from .graph.skill import Edge, Reduction, Skill
from .graph.skill import possible as possible
from .graph.skill_graph import SkillGraph
from .measures.answer_scores import Ripple, Score, coherence, front_door, ripple, score
from .measures.back_doors import back_doors
from .measures.entanglement import Cell, Entanglement, entanglement_plan, fallen
from .measures.protection import PROTECTIONS, Protection, protect, teaching
from .measures.trace_damage import Dissociation, dissociation, trace_damage
from .tasks.formats import FORMATS, Format, positions
from .tasks.task_stream import TaskStream
from .tasks.tasks import Change, Tasks, changed
from .tasks.token_sheet import Sheet
from .tasks.token_sheet import stacked as stacked
from .tasks.vocabulary import Vocabulary
from .towers import TOWERS, load_tower, tower

__all__ = [
    "Cell",
    "Change",
    "Dissociation",
    "Edge",
    "Entanglement",
    "FORMATS",
    "Format",
    "PROTECTIONS",
    "Protection",
    "Reduction",
    "Ripple",
    "Score",
    "Sheet",
    "Skill",
    "SkillGraph",
    "TOWERS",
    "TaskStream",
    "Tasks",
    "Vocabulary",
    "back_doors",
    "changed",
    "coherence",
    "dissociation",
    "entanglement_plan",
    "fallen",
    "front_door",
    "load_tower",
    "positions",
    "protect",
    "ripple",
    "score",
    "teaching",
    "tower",
    "trace_damage",
]
