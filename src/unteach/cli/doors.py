"""What bare `unteach` prints: three doors, each with the exact next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

DOORS = (
    (
        "cyan",
        "Forget from a model of yours",
        "See what would go, how, and what is promised; nothing is changed yet.",
        (
            "unteach fit digits --model svc --param gamma=0.001 --out model.unteach",
            "unteach forget model.unteach --data digits --id 7 --dry-run",
        ),
    ),
    (
        "magenta",
        "Compare methods, and measure",
        "What each method claims, against retraining, doing nothing and too much.",
        ("unteach compare wine --model logistic --forget 10",),
    ),
    (
        "yellow",
        "Teach",
        "The founding questions, each answered by a study on real data, offline.",
        ("unteach tour",),
    ),
)


def print_doors(console: Console) -> None:
    """Print the doors; they fit 80 columns.

    >>> from rich.console import Console
    >>> print_doors(Console(width=80, color_system=None))
    <BLANKLINE>
      unteach ...
    """
    from rich.text import Text

    from unteach import __version__

    console.print()
    console.print(
        Text.assemble(
            ("  unteach ", "bold"),
            (f"{__version__}  ", "dim"),
            "makes a model forget, and measures what forgetting cost.",
        )
    )
    for number, (colour, title, about, commands) in enumerate(DOORS, 1):
        bar = ("  ▌ ", colour)
        console.print()
        console.print(Text.assemble(bar, (f"{number}  ", f"bold {colour}"), (title, "bold")))
        console.print(Text.assemble(bar, ("   " + about, "dim")))
        for command in commands:
            console.print(Text.assemble(bar, "   ", ("$ ", "dim"), (command, colour)))
    console.print()
    console.print(
        Text.assemble(
            ("  your own CSV: ", "dim"), "unteach fit --help", ("    everything: ", "dim"),
            "unteach --help",
        )
    )  # fmt: skip
    console.print()
