"""The app: the doors, and every command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .audit import audit
from .compare import compare
from .deduce import deduce
from .fit import fit
from .forget import forget
from .listing import listing
from .memorize import memorize
from .options import flag
from .plainly import Plainly
from .plan import plan
from .runs import purge, runs, show
from .screen import answers
from .study import study
from .tour import tour

if TYPE_CHECKING:
    from rich.console import Console

# What bare `unteach` prints: three doors, each with the exact next command.

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
            ("  your own CSV: ", "dim"),
            "unteach fit --help",
            ("    everything: ", "dim"),
            "unteach --help",
        )
    )
    console.print()


class Doors(TyperGroup):
    """A group whose commands fail in one sentence, in a terminal and under a test alike."""

    def make_context(self, *given: Any, **options: Any) -> Any:
        """Read the options of the app itself."""
        with Plainly():
            return super().make_context(*given, **options)

    def invoke(self, context: Any) -> Any:
        """Run a command."""
        with Plainly():
            return super().invoke(context)


app = typer.Typer(
    cls=Doors,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from unteach import __version__

        typer.echo(f"unteach {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def doors(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, metavar="", help="Say the version."
        ),
    ] = False,
    debug: Annotated[
        bool, flag("--debug", "Show the traceback of an error; so does UNTEACH_DEBUG=1.")
    ] = False,
) -> None:
    """Make a model forget, and measure what forgetting cost."""
    if debug:
        os.environ["UNTEACH_DEBUG"] = "1"
        context.call_on_close(lambda: os.environ.pop("UNTEACH_DEBUG", None))
    if context.invoked_subcommand is None:
        print_doors(answers())


_OWN, _MEASURE, _TEACH, _PROJECT = (
    "Forget from a model of yours",
    "Compare and measure",
    "Teach",
    "The project folder",
)
_FIT = (
    "Example: `unteach fit people.csv --ids-column row --target ill --group person "
    "--out model.unteach`"
)
_FORGET = (
    "Example: `unteach forget model.unteach --data people.csv --ids-column row --target ill "
    "--group person --values-from who.txt --dry-run`"
)
_COMPARE = "Example: `unteach compare wine --model logistic --methods retrain,newton,do-nothing`"
_AUDIT = (
    "Example: `unteach audit digits --methods neg-grad-plus --forget 50 --tier quick --dry-run`"
)
_MEMORIZE = "Example: `unteach memorize digits --model mlp --models 400 --page memories`"
_PLAN = (
    "Example: `unteach plan family.tsv --rules kinship.txt --forget 'father(ann, bob)' "
    "--preserve 'grandfather(ann, carl)'`"
)
_DEDUCE = "Example: `unteach deduce family.tsv answers.csv --rules kinship.txt`"
app.command("fit", rich_help_panel=_OWN, epilog=_FIT)(fit)
app.command("forget", rich_help_panel=_OWN, epilog=_FORGET)(forget)
app.command("compare", rich_help_panel=_MEASURE, epilog=_COMPARE)(compare)
app.command("audit", rich_help_panel=_MEASURE, epilog=_AUDIT)(audit)
app.command("memorize", rich_help_panel=_MEASURE, epilog=_MEMORIZE)(memorize)
app.command("plan", rich_help_panel=_MEASURE, epilog=_PLAN)(plan)
app.command("deduce", rich_help_panel=_MEASURE, epilog=_DEDUCE)(deduce)
app.command("list", rich_help_panel=_MEASURE)(listing)
app.command("tour", rich_help_panel=_TEACH)(tour)
app.command("study", rich_help_panel=_TEACH)(study)
app.command("runs", rich_help_panel=_PROJECT)(runs)
app.command("show", rich_help_panel=_PROJECT)(show)
app.command("purge", rich_help_panel=_PROJECT)(purge)


def main() -> None:
    """Run the command line; errors are one sentence on stderr and an exit code."""
    app(prog_name="unteach")
