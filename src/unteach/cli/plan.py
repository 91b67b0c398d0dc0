"""`unteach plan`: what to remove so that some facts no longer follow and others still hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unteach.core import BadInput

from .knowing import (
    ORDER,
    AttackerFile,
    BackgroundFile,
    BaseFile,
    Columns,
    RulesFile,
    read_base,
    read_facts,
)
from .options import AsJson, flag, value
from .plainly import REFUSED
from .screen import answers, counted, print_json, print_labelled, seconds

if TYPE_CHECKING:
    from unteach.knowledge import Fact, Plan

_SHOWN = 12  # facts of one kind that are printed; JSON has them all


class Format(StrEnum):
    """How a plan is written."""

    text = "text"
    dot = "dot"
    svg = "svg"


def plan(
    kb: BaseFile,
    forget: Annotated[
        list[str] | None, value("FACT", "Must no longer follow: `p(ann, bob)`; again for more.")
    ] = None,
    preserve: Annotated[list[str] | None, value("FACT", "Must still hold; again for more.")] = None,
    forget_from: Annotated[
        list[Path] | None, value("FILE", "Facts to forget, from a file.")
    ] = None,
    preserve_from: Annotated[
        list[Path] | None, value("FILE", "Facts to preserve, from a file.")
    ] = None,
    rules: RulesFile = None,
    background: BackgroundFile = None,
    attacker_rules: AttackerFile = None,
    base_only: Annotated[
        bool, flag("--base-only", "Promote nothing: what stays must be derived from what stays.")
    ] = False,
    columns: Columns = ORDER,
    format: Annotated[
        Format, typer.Option(metavar="FORM", help="text, dot (Graphviz) or svg.")
    ] = Format.text,
    json: AsJson = False,
) -> None:
    """Say what to remove so that facts no longer follow, at the least cost, or why it cannot be.

    The plan is optimal, and checked by a closure. Where there is none, a smallest reason is shown
    with its proof, and the cheapest ways out; the exit code is then 3.
    """
    from unteach.knowledge import load_rules
    from unteach.knowledge import plan as planned

    if json and format is not Format.text:
        raise BadInput(f"--json and --format {format.value} are two forms; choose one")
    base = read_base(kb, rules, background, columns)
    found = planned(
        base,
        read_facts(forget or (), forget_from or (), columns),
        read_facts(preserve or (), preserve_from or (), columns),
        promote=not base_only,
        attacker_rules=None if attacker_rules is None else load_rules(attacker_rules),
    )
    if json:
        print_json(found.to_json())
    elif format is Format.text:
        _print(found)
    else:
        from unteach.knowledge import dot, picture

        tree = picture(base, found)
        sys.stdout.write((dot(tree) if format is Format.dot else tree.svg()) + "\n")
    if not found.feasible:
        raise typer.Exit(REFUSED)


def _print(found: Plan) -> None:
    """Print a plan, or why there is none."""
    from rich.text import Text

    screen = answers()
    screen.print()
    if found.feasible:
        bound = "no cheaper way exists" if found.optimal else f"at least {found.bound:g} is needed"
        head = (f"possible: remove {counted(len(found.remove), 'fact')}", "bold green")
        screen.print(Text.assemble("  ", head, f", cost {found.cost:g}; {bound}"))
        _facts("remove", found.remove)
        _facts("store", found.promote)
        _facts("falls", [f for f in found.lost if f not in found.forget])
        print_labelled(screen, "took", seconds(found.seconds), 10)
    elif found.witness is not None:
        screen.print(Text.assemble("  ", ("impossible", "bold red"), f" ({found.mode})"))
        _facts("kept", found.witness.preserved)
        _facts("entails" if found.mode == "promotion" else "against", found.witness.forgotten)
        from unteach.knowledge import branch
        from unteach.report import Tree

        root = branch(
            found.witness.proof, forgotten=found.witness.forgotten, kept=found.witness.preserved
        )
        screen.print()
        for line in Tree((root,)).text().splitlines():
            screen.print(Text("  " + line), soft_wrap=True)
        screen.print()
        for way in found.ways_out:
            if way.kind == "promote":
                print_labelled(screen, "way out", "store the conclusions (without --base-only)", 10)
            elif way.kind == "give up":
                _facts("give up", way.facts)
            else:
                for rule in way.rules:
                    print_labelled(screen, "or forget", str(rule), 10)
    screen.print()


def _facts(label: str, facts: Sequence[Fact]) -> None:
    from unteach.knowledge import written

    screen = answers()
    for k, fact in enumerate(facts[:_SHOWN]):
        print_labelled(screen, "" if k else label, written(fact), 10)
    if len(facts) > _SHOWN:
        print_labelled(screen, "", f"and {len(facts) - _SHOWN} more; --json has them", 10)
