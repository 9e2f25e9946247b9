"""What a search came to: the rows of its table, and one HTML page with the pictures of the front."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.finish import Found
from glyphlet.compress.search.front import front, standing
from glyphlet.compress.search.state import State, Wish
from glyphlet.evaluate.report import Section, key_figures, preformatted, table_section, write_report
from glyphlet.evaluate.scatter import Dot, scatter_chart
from glyphlet.evaluate.scores import percent

PAGE = "fit.html"
COLUMNS = ("candidate", "kB", "stored as", "ms", "parameters", "lines seen", "words", "CER", "front")
"""Of the table; words are lines read without error."""


def fronts(entrants: list[Entrant]) -> tuple[set[str], set[str]]:
    """The names of those that none beats in kB and word accuracy, and in ms and word accuracy. Who reads no line is not among them."""
    entrants = [entrant for entrant in entrants if entrant.read and entrant.read.word]
    words = [entrant.read.word if entrant.read else 0.0 for entrant in entrants]
    kb = front([(entrant.kb, word) for entrant, word in zip(entrants, words, strict=True)])
    ms = front([(entrant.ms, word) for entrant, word in zip(entrants, words, strict=True)])
    return {entrants[place].name for place in kb}, {entrants[place].name for place in ms}


def rows(state: State, found: Found, batch: int) -> list[tuple[str, ...]]:
    """A row for each candidate that was read with, the most accurate first; `COLUMNS` says of what."""
    entrants = standing(state.entrants)
    by_kb, by_ms = fronts(entrants)
    made: list[tuple[str, ...]] = []
    for entrant in sorted(entrants, key=_words, reverse=True):
        assert entrant.last
        assert entrant.read
        marks = [name for name, names in (("kB", by_kb), ("ms", by_ms)) if entrant.name in names]
        chosen = entrant.name == found.name
        made.append((
            f"{entrant.name}{' *' if chosen else ''}", f"{found.kb if chosen else entrant.kb:,.1f}", entrant.weights or "",
            f"{found.ms if chosen else entrant.ms:.3f}", f"{entrant.cost.parameters:,}", f"{entrant.last.updates * batch:,}",
            percent(entrant.read.word), percent(entrant.read.cer), " ".join(marks),
        ))  # fmt: skip
    return made


def _words(entrant: Entrant) -> tuple[float, float]:
    return entrant.read.rank("word") if entrant.read else (0.0, 0.0)


def out(state: State) -> list[tuple[str, str]]:
    """What was not tried or did not come through, and why."""
    failed = [(entrant.name, entrant.failed) for entrant in state.entrants if entrant.failed]
    unread = [
        (entrant.name, "not the best of those to be cut after rung 1" if entrant.last else "no time")
        for entrant in state.entrants
        if not entrant.failed and not (entrant.last and entrant.weights)
    ]
    return [*((name, why) for name, why in state.untried), *failed, *unread]


def write_page(folder: Path, state: State, found: Found, wish: Wish, batch: int, commands: Mapping[str, str]) -> Path:
    """Write `fit.html`.

    Raises:
        GlyphletError: it cannot be written.
    """
    read = found.read
    figures: dict[str, str | tuple[str, str]] = {
        "Chosen": (found.name, f"{found.parameters:,} parameters"),
        "Model file": (f"{found.kb:,.1f} kB", f"{found.weights}; limit {wish.limits.kb or 'none'}"),
        "Time of a line": (f"{found.ms:.3f} ms", f"one thread; limit {wish.limits.ms or 'none'}"),
        "Word accuracy": (percent(read.word), f"{read.lines:,} validation lines, CER {percent(read.cer)}"),
    }
    note = "Accuracies are of validation lines, at the end of the last rung that a candidate was in; those with fewer lines seen would read "
    note += "better if they were trained as long. * is the chosen one, as its file was measured."
    sections = [key_figures(figures, "Chosen"), _charts(state, found, wish)]
    sections.append(table_section("Candidates", COLUMNS, rows(state, found, batch), note))
    if out(state):
        sections.append(table_section("Not tried to the end", ("Candidate", "why"), out(state)))
    sections += [preformatted(command, name) for name, command in commands.items()]
    sections.append(preformatted(found.recipe.read_text(encoding="utf-8"), "Recipe of the whole training"))
    path = folder / PAGE
    write_report(path, f"Fit: {found.name}", sections, f"Limits: {wish.limits}. {state.seconds / 60:.1f} minutes.")
    return path


def _charts(state: State, found: Found, wish: Wish) -> Section:
    entrants = standing(state.entrants)
    fronted = fronts(entrants)
    made = []
    for kind, names, limit in (("kB", fronted[0], wish.limits.kb), ("ms", fronted[1], wish.limits.ms)):
        dots = [
            Dot(
                entrant.name, entrant.kb if kind == "kB" else entrant.ms, entrant.read.word if entrant.read else 0.0,
                bool(entrant.last and entrant.last.final), entrant.name in names, entrant.name == found.name,
            )
            for entrant in entrants
        ]  # fmt: skip
        title = "Accuracy and file size" if kind == "kB" else "Accuracy and time of a line"
        label = "kB of the model file" if kind == "kB" else "ms a line, one thread"
        made.append(
            scatter_chart(
                dots, title, label, "word accuracy", limit=limit, wanted=wish.least, keys=("trained to the end of the search", "earlier")
            )
        )  # fmt: skip
    drawn = "".join(f'<div class="card">{chart}</div>' for chart in made)
    return Section("Front", f'<div class="grid charts">{drawn}</div>')


__all__ = ["COLUMNS", "PAGE", "fronts", "out", "rows", "write_page"]
