"""`unteach deduce`: what can still be derived from what a model still says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from .options import AsJson, value
from .screen import answers, counted, noted, print_json, table

_SHOWN = 20


def deduce(
    kb: BaseFile,
    given: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS.csv",
            help="With a header: fact, or subject, predicate, object; and probability.",
        ),
    ],
    about: Annotated[
        list[str] | None, value("FACT", "Only these facts, as those forgotten; again for more.")
    ] = None,
    about_from: Annotated[list[Path] | None, value("FILE", "These facts, from a file.")] = None,
    rules: RulesFile = None,
    background: BackgroundFile = None,
    attacker_rules: AttackerFile = None,
    at: Annotated[
        float, typer.Option(metavar="P", help="From which probability an answer counts.")
    ] = 0.5,
    columns: Columns = ORDER,
    json: AsJson = False,
) -> None:
    """Say which facts can be derived from a model's answers, whether it still says them or not.

    The model is not needed, only what it answers. Without --about, all facts of KB and all that
    follows from them are looked at.
    """
    from unteach.knowledge import deduce as deduced
    from unteach.knowledge import load_rules, read_answers, written

    base = read_base(kb, rules, background, columns)
    more = None if attacker_rules is None else load_rules(attacker_rules)
    found = deduced(base, read_answers(given), at, more)
    named = read_facts(about or (), about_from or (), columns)
    facts = named or [*base.facts, *base.conclusions()]
    unheard = [f for f in named if f not in base.closure() and f not in found.strength]
    with noted() as notes:
        if unheard:
            rest = f" and {len(unheard) - 1} more" if len(unheard) > 1 else ""
            notes.append(
                f"neither KB nor the answers lead to {written(unheard[0])}{rest}: if it "
                "is not misspelt, nothing was there to be forgotten"
            )
    result = found.table(facts)
    rows = list(result.rows())
    leaks = [r for r in rows if r["deducible"] and not r["recalled"]]
    if json:
        print_json(
            {
                "at": at,
                "facts": len(rows),
                "recalled": sum(r["recalled"] for r in rows),
                "deducible": sum(r["deducible"] for r in rows),
                "rows": rows,
            }
        )
        return
    from rich.text import Text

    screen, said = answers(), sum(r["recalled"] for r in rows)
    found_leaks = (f"{len(leaks)} not said and still derivable", "red" if leaks else "green")
    screen.print()
    screen.print(
        Text.assemble(
            "  of ", (counted(len(rows), "fact"), "bold"), f": {said} still said, ", found_leaks
        )
    )
    if leaks:
        grid = table("not said", "steps", "strength", "follows from", right=("steps", "strength"))
        for row in leaks[:_SHOWN]:
            source = Text(row["from"] or "what everybody knows")
            fact = Text(row["fact"], style="bold")
            grid.add_row(fact, str(row["steps"]), f"{row['strength']:.2f}", source)
        screen.print()
        screen.print(grid)
    if len(leaks) > _SHOWN:
        screen.print(f"  and {len(leaks) - _SHOWN} more; --json has them", style="dim")
    screen.print()
