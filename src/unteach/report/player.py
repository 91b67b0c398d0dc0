"""A figure in frames: a slider steps them; without a script, and in print, the ends are shown."""

from __future__ import annotations

from collections.abc import Sequence

from .markup import Html, tag
from .page import Drawing


def player(drawing: Drawing, frames: Sequence[tuple[str, Html]], key: Html) -> Html:
    """Return frames (label, drawing) behind a slider, and the key beneath them.

    One frame stands alone. The first and the last are shown where there is no script.
    """
    if len(frames) == 1:
        return tag("div", frames[0][1], key)
    name = drawing.unique("player")
    slider = tag("input", type="range", min=0, max=len(frames) - 1, value=0, step=1,
                 aria_label="frame", id=f"{name}-slider")  # fmt: skip
    controls = tag(
        "div",
        tag("button", "Play", type="button", class_="play", aria_label="play the frames"),
        slider, tag("output", for_=f"{name}-slider"), class_="controls", hidden=True,
    )  # fmt: skip
    drawn = [
        tag("div", tag("p", label, class_="frame-title"), body, data_label=label,
            class_="frame key-frame" if k in (0, len(frames) - 1) else "frame")
        for k, (label, body) in enumerate(frames)
    ]  # fmt: skip
    return tag("div", controls, *drawn, key, class_="player", id=name)
