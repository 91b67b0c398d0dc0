"""`unteach forget --dry-run`: rows hit, route, claim, expected time; nothing is changed."""

from __future__ import annotations

from dataclasses import replace

from unteach.core import BadInput, Claim, Exact, Table, claim_json

from .expected import Expected, expected
from .forgetting import Planned
from .screen import answers, counted, noted, print_json, print_labelled, seconds


def show_dry_run(planned: Planned, *, json: bool) -> None:
    """Print what would happen."""
    from unteach.audit import near_duplicates

    records, request = planned.records, planned.request
    with noted() as notes:
        time = expected(
            planned.model,
            records,
            request,
            planned.method,
            seed=planned.order.seed or 0,
            audits=planned.order.audits,
        )
        near: Table | None = None
        try:
            near = near_duplicates(records.select(request.ids), request.applied_to(records))
        except BadInput:  # inputs without a distance have no near-duplicates to speak of
            near = None
    if json:
        print_json(_document(planned, time, near, notes))
        return
    from rich.text import Text

    screen = answers()
    screen.print()
    screen.print(Text.assemble(("  Dry run", "bold"), ("  nothing is changed", "dim")))
    screen.print()
    for label, text in _lines(planned, time, near):
        print_labelled(screen, label, text, 13)
    screen.print()


def _lines(planned: Planned, time: Expected, near: Table | None) -> list[tuple[str, str]]:
    name = type(planned.model).__name__
    lines = [("model", f"{name}, learned from {counted(len(planned.records), 'row')}")]
    if not planned.learned.said:
        lines.append(("", f"from which: told by {planned.learned.told_by}, not by the model"))
    lines.append(("hit", planned.what))
    apart = planned.hit - planned.n
    if apart:
        lines.append(("", f"{counted(apart, 'more row')} named that the model does not hold"))
    if planned.missing:
        lines.append(("", f"{counted(planned.missing, 'value')} not found, skipped"))
    if planned.asked.repeated:
        lines.append(("", f"{counted(planned.asked.repeated, 'repeated line')} counted once"))
    lines += [("route", type(planned.method).__name__), ("claim", str(_claim(planned, time)))]
    lines.append(("time", seconds(time.seconds)))
    lines.append(("", time.how))
    if planned.order.audits and time.retraining is not None:
        lines.append(("audit", f"3 to 7 retrainings of about {seconds(time.retraining)} each"))
    if near is not None:
        lines.append(("near", near_duplicates_said(near, planned)))
    held = "none" if planned.holdout is None else counted(len(planned.holdout), "row")
    lines.append(("held out", held + ("; membership cannot be audited" if held == "none" else "")))
    out = planned.order.out
    there = out.exists() and not planned.order.overwrite
    lines.append(("would write", f"{out}{' (it exists: --force overwrites it)' * there}"))
    return lines


def near_duplicates_said(near: Table, planned: Planned) -> str:
    """Return in words which retained rows lie close to forgotten ones; rows count from 1."""
    if not len(near):
        return "no retained row is a near-duplicate"
    at = {i: k for k, i in enumerate(planned.source.records.ids.tolist())}
    rows = sorted({at[i] + 1 for i in near["retained"]})
    exact = len({i for i, e in zip(near["retained"], near["exact"], strict=True) if e})
    shown = ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")
    word = "near-duplicate" if len(rows) == 1 else "near-duplicates"
    row = "row" if len(rows) == 1 else "rows"
    return f"{len(rows)} retained {word} ({exact} exact), {row} {shown} of {planned.source.name}"


def _claim(planned: Planned, time: Expected) -> Claim:
    """Return the claim, with what the timed forgetting held fixed: no more is promised."""
    claim = planned.claim
    if isinstance(claim, Exact) and time.given:
        return replace(claim, given=tuple(dict.fromkeys((*claim.given, *time.given))))
    return claim


def _document(
    planned: Planned, time: Expected, near: Table | None, notes: list[str]
) -> dict[str, object]:
    at = {i: k for k, i in enumerate(planned.source.records.ids.tolist())}
    return {
        "dry_run": True,
        "model": str(planned.order.model),
        "learned_from": len(planned.records),
        "model_says_from_which": planned.learned.said,
        "told_by": planned.learned.told_by,
        "rows": planned.n,
        "named_but_not_in_the_model": planned.hit - planned.n,
        "groups": len(planned.asked.values) - planned.missing if planned.asked.whole else None,
        "not_found": planned.missing,
        "method": type(planned.method).__name__,
        "claim": claim_json(_claim(planned, time)),
        "expected_seconds": time.seconds,
        "expected_seconds_how": time.how,
        "retraining_seconds": time.retraining,
        "near_duplicates": None
        if near is None
        else [
            {
                "row": at[r["retained"]] + 1,
                "distance": r["distance"],
                "exact": r["exact"],
                "same_target": r["same target"],
            }
            for r in near.rows()
        ],
        "held_out": None if planned.holdout is None else len(planned.holdout),
        "would_write": str(planned.order.out),
        "notes": list(dict.fromkeys([*planned.notes, *notes])),
    }
