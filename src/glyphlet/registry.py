"""Named builders of one kind of part (backbone, neck, head, effect).

The name in a recipe is the name of the decorated function, so that a text search for it finds the code.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from glyphlet.errors import RecipeError

F = TypeVar("F", bound=Callable[..., Any])


def nearest(name: str, known: Iterator[str] | list[str]) -> str:
    """` (did you mean 'x'?)` for a misspelt name, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


def _fits(value: Any, default: Any) -> bool:
    """Whether a value from a recipe is of the kind of an option's default."""
    if type(default) not in _KINDS or type(value) is type(default):
        return True
    return type(default) is float and type(value) is int


class Registry:
    """Parts of one kind by name.

    Args:
        kind: what the parts are, for messages: `backbone`.
        where: where a recipe names them, for messages: `model.backbone`.
    """

    def __init__(self, kind: str, where: str) -> None:
        self.kind = kind
        self.where = where
        self._builders: dict[str, Callable[..., Any]] = {}

    def register(self, builder: F) -> F:
        """Decorator: the builder's own name becomes the part's name."""
        name = builder.__name__
        if name in self._builders:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._builders[name] = builder
        return builder

    def import_all(self, package: str, path: Iterable[str]) -> None:
        """Import every module of a package, so that a new file registers itself.

        Args:
            package: `__name__` of the package.
            path: `__path__` of the package.
        """
        for module in sorted(info.name for info in pkgutil.iter_modules(path)):
            importlib.import_module(f"{package}.{module}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._builders)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        if name not in self._builders:
            raise RecipeError(
                f"there is no {self.kind} named {name!r}{nearest(name, list(self._builders))}",
                allowed=", ".join(self._builders),
                next_step=f"correct the name in {self.where}; `glyphlet models` lists every part",
            )
        return self._builders[name]

    def options(self, name: str) -> dict[str, Any]:
        """The options that a recipe may set for a part, with their defaults (keyword-only arguments)."""
        parameters = inspect.signature(self[name]).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def build(self, name: str, options: Mapping[str, Any], *inputs: Any) -> Any:
        """Build a part from its name, its options and what it must fit to.

        Raises:
            RecipeError: no part has this name, or it has no such option.
        """
        known = self.options(name)
        for key in options:
            if key not in known:
                raise RecipeError(
                    f"{self.kind} {name!r} has no option {key!r}{nearest(key, list(known))}",
                    allowed=", ".join(f"{k} (default {v})" for k, v in known.items()) or "no options",
                    next_step=f"correct {self.where} in the recipe",
                )
            if not _fits(options[key], known[key]):
                raise RecipeError(
                    f"{self.kind} {name!r} has {key} {options[key]!r}",
                    allowed=f"{_KINDS[type(known[key])]}, such as the default {known[key]}",
                    next_step=f"correct {self.where} in the recipe",
                )
        return self[name](*inputs, **options)

    def build_chance(self, name: str, options: Mapping[str, Any]) -> tuple[Any, float]:
        """Build a part that a line has with the probability `p` among its options, 1 by default.

        Returns:
            The part, and the probability.

        Raises:
            RecipeError: as `build`; or `p` is no probability.
        """
        own = dict(options)
        chance = own.pop("p", 1)
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise RecipeError(f"{self.kind} {name} has p {chance!r}", allowed="0 to 1", next_step="correct it")
        return self.build(name, own), chance
