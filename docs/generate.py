"""Write the pages that are made from docstrings: methods, metrics, rooms, the glossary, help.

`make docs` writes them; the tests compare them, so that no page can drift from the code.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOMS = (
    "core",
    "data",
    "store",
    "stats",
    "kernel",
    "models",
    "engine",
    "report",
    "unlearn",
    "memorize",
    "knowledge",
    "skills",
    "audit",
    "studies",
    "checks",
    "cli",
)


def fenced(text: str) -> str:
    """Return a docstring as it stands, readable as text and as Markdown."""
    return f"```text\n{inspect.cleandoc(text).strip()}\n```"


def first(text: str | None) -> str:
    """Return the first sentence of a docstring."""
    return (text or "").strip().split("\n\n")[0].replace("\n", " ").strip()


def parameters_of(thing: object) -> str:
    """Return a signature without the annotations, which the docstring explains better."""
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return re.sub(
        r"<factory>|<(?:object object|function \w+) at 0x\w+>",
        "...",
        str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)),
    )


def methods() -> str:
    """Return the page of the methods."""
    from unteach.unlearn import METHODS

    parts = [
        "# Methods",
        "",
        "Every method that the package exports, from its docstring. Each is a "
        "frozen value with `forget(model, records, request, *, seed) -> Forgotten`.",
        "",
    ]
    for method in METHODS:
        parts += [f"## {method.__name__}", "", fenced(method.__doc__ or ""), ""]
    return "\n".join(parts)


def metrics() -> str:
    """Return the page of the metrics."""
    from unteach.audit import ARM_METRICS, METRICS

    sections = {
        "any case": METRICS,
        "arms: many models of one request": ARM_METRICS,
    }
    parts = [
        "# Metrics",
        "",
        "Every metric, from its docstring. A metric with the role `forgetting` "
        "ranks retraining best, beyond its null, against doing nothing and over-forgetting; a "
        "`screen` may raise an alarm and can carry no verdict; a `utility` is what the forgetting "
        "cost elsewhere; a `ledger` is what a certificate has spent.",
        "",
        "| metric | role | reads |",
        "|---|---|---|",
        *(f"| {m.name} | {m.role} | {what} |" for what, all_ in sections.items() for m in all_),
        "",
    ]
    for what, listed in sections.items():
        parts += [f"# Metrics of {what}", ""]
        for metric in listed:
            kind = type(metric)
            parts += [
                f"## {metric.name}",
                "",
                f"`unteach.audit.{kind.__name__}`, role `{metric.role}`.",
                "",
                fenced(kind.__doc__ or ""),
                "",
            ]
    return "\n".join(parts)


def room(name: str) -> str:
    """Return the page of one room: what it is, its files, its public names."""
    module = importlib.import_module(f"unteach.{name}")
    parts = [f"# {name}", "", inspect.cleandoc(module.__doc__ or ""), "", "## Files", ""]
    for info in pkgutil.walk_packages(module.__path__, prefix=f"unteach.{name}."):
        part = importlib.import_module(info.name)
        short = info.name.removeprefix(f"unteach.{name}.")
        parts.append(f"- `{short}`: {first(part.__doc__)}")
    names = [n for n in getattr(module, "__all__", ()) if not n.startswith("_")]
    if names:
        parts += ["", "## Public names", ""]
    for public in sorted(names, key=str.lower):
        thing = getattr(module, public)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            title = (
                f"`{public}{parameters_of(thing)}`" if inspect.isfunction(thing) else f"`{public}`"
            )
            parts.append(f"- {title}: {first(thing.__doc__)}")
        else:
            parts.append(f"- `{public}`")
    return "\n".join(parts) + "\n"


def commands() -> str:
    """Return the page of the command line: each command's help, as it is printed."""
    from typer.main import get_command

    from unteach.cli import app

    root = get_command(app)
    parts = [
        "# The command line",
        "",
        "Each command's help, as `unteach COMMAND --help` says it.",
        "",
    ]
    for name in sorted(root.commands):  # type: ignore[attr-defined]
        command = root.commands[name]  # type: ignore[attr-defined]
        parts += [f"## unteach {name}", "", fenced(command.help or ""), ""]
        if hasattr(command, "commands"):
            parts += [f"- `{n}`: {c.help or ''}" for n, c in sorted(command.commands.items())]
            parts.append("")
            continue
        for option in command.params:
            names = ", ".join(f"`{o}`" for o in option.opts)
            text = " ".join((getattr(option, "help", None) or "").split())
            parts.append(f"- {names}: {text}")
        parts.append("")
        if command.epilog:
            parts += [example(command.epilog), ""]
    return "\n".join(parts)


def example(epilog: str) -> str:
    """Return the example under a command's help, to be copied."""
    return f"```console\n$ {' '.join(epilog.split()).removeprefix('Example: ').strip('`')}\n```"


def pages() -> dict[str, str]:
    """Return every generated page by file name."""
    made = {"methods.md": methods(), "metrics.md": metrics(), "commands.md": commands()}
    return made | {f"rooms/{name}.md": room(name) for name in ROOMS}


def main() -> None:
    """Write the pages, or with --check say which are not as they would be written."""
    wrong = []
    for name, text in pages().items():
        path, text = HERE / name, text.rstrip("\n") + "\n"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                wrong.append(name)
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    if wrong:
        sys.exit(f"not as generated: {', '.join(wrong)}; run: make docs")


if __name__ == "__main__":
    main()
