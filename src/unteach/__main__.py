"""`python -m unteach` and the `unteach` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what to install for it."""
    try:
        from .cli import main as run
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "sqlalchemy"):
            raise
        sys.exit(
            f"unteach: the command line needs {error.name}; "
            'install it with: pip install "unteach[studies]"'
        )
    run()


if __name__ == "__main__":
    main()
