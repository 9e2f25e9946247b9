"""What a model file says about itself: all that reading needs, and how the model came to be.

It is stored as JSON under one key of the ONNX file (see `runtime.bundle`). Parsing is strict and hand-written: pydantic
would make a reader start half as slow again. A file that asks for something this version does not know is
refused, never read as if it had not asked.

What a later version must know to read a file goes into `features` (a name for each) or raises `FORMAT`; what is only
told, not needed, goes into `training`, `measured` and `parity`, whose contents are free.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_args

from glyphlet import __version__
from glyphlet.charset import Case, Charset
from glyphlet.codec import CODECS, Codec
from glyphlet.decode.calibration import KINDS, Calibration
from glyphlet.errors import CharsetError, ModelFileError, RecipeError
from glyphlet.image import Geometry

FORMAT = 1
"""The newest version of the file format; every older one stays readable."""
HEADS = tuple(CODECS)
"""How logits are read; see `codec`."""
CASE = "charset.case"
"""The feature of files whose charset has a `case`."""
GEOMETRY = {"width": "geometry.width", "squeeze": "geometry.squeeze"}
"""The features of files whose geometry has a `width` or a `squeeze`: without them the keys are left out."""
SINGLE = "lines.single"
"""The feature of files whose network takes one line at a time: beside others it would be read otherwise."""
FEATURES: frozenset[str] = frozenset({CASE, SINGLE, *GEOMETRY.values()})
"""Features that a file may require of its reader."""
_PLAIN = Geometry()
_TYPES: dict[str, type] = {
    "format": int,
    "glyphlet": str,
    "name": str,
    "charset": dict,
    "geometry": dict,
    "time_stride": int,
    "head": str,
    "calibration": dict,
    "features": list,
    "training": dict,
    "measured": dict,
    "parity": dict,
}


@dataclass(frozen=True)
class Metadata:
    """The description that travels in a model file.

    Args:
        name: what the model is called.
        charset: the characters that it writes; character `i` is class `i + 1`, class 0 is the blank or the stop.
        geometry: the images that it takes.
        time_stride: pixels of the input's width for each time step.
        head: how its output is to be decoded.
        calibration: how its confidences are to be corrected; see `decode.calibration`.
        features: what a reader must be able to do, beyond the format itself.
        training: how it was trained; free.
        measured: accuracies and the like; free.
        parity: how the file was compared with the trained model; free.
        glyphlet: the version that wrote the file.

    >>> meta = Metadata("tiny", Charset.named("digits"), Geometry(), time_stride=4)
    >>> Metadata.from_json(meta.to_json(), "tiny.onnx") == meta
    True
    """

    name: str
    charset: Charset
    geometry: Geometry
    time_stride: int
    head: str = "ctc"
    calibration: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    features: tuple[str, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    glyphlet: str = __version__

    @property
    def codec(self) -> Codec:
        """Between texts and the classes of the model."""
        return CODECS[self.head](self.charset)

    def to_json(self) -> str:
        """The description as JSON.

        Raises:
            ValueError, TypeError: a free part holds NaN, infinity or what JSON has no word for.
        """
        geometry = asdict(self.geometry)
        for key in GEOMETRY:
            if geometry[key] == getattr(_PLAIN, key):
                del geometry[key]
        needed = {*self.features, *(feature for key, feature in GEOMETRY.items() if key in geometry)}
        if self.charset.case != "keep":
            needed.add(CASE)
        values = {
            "format": FORMAT,
            **{key: getattr(self, key) for key in _TYPES if key != "format"},
            "charset": self.charset.to_dict(),
            "features": sorted(needed),
            "geometry": geometry,
        }
        return json.dumps(values, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, where: str) -> Metadata:
        """Parse and check a description.

        Args:
            text: as `to_json` wrote it, with this version or an older one.
            where: the file that it comes from, for messages.

        Raises:
            ModelFileError: it is not a description, or asks for what this version cannot do.
        """
        values = _parsed(text, where)
        _check_version(values, where)
        _check_types(values, _TYPES, "", where)
        try:
            charset = _charset(values["charset"], where)
            geometry = _geometry(values["geometry"], where)
            Calibration.of(values["calibration"])
        except (CharsetError, RecipeError) as error:
            raise refusal(where, f"has a description that is not valid: {error.problem}", *_MADE_WRONG) from error
        if values["time_stride"] < 1:
            raise refusal(where, f"has time_stride {values['time_stride']}", *_MADE_WRONG)
        rest = {key: values[key] for key in _TYPES if key not in ("format", "charset", "geometry", "features")}
        return cls(charset=charset, geometry=geometry, features=tuple(values["features"]), **rest)


_MADE_WRONG = ("a description that `glyphlet export` wrote", "export the model again")


def refusal(where: str, problem: str, allowed: str, next_step: str) -> ModelFileError:
    """The error for a model file that cannot be read."""
    return ModelFileError(f"{where} {problem}", allowed=allowed, next_step=next_step)


def _parsed(text: str, where: str) -> dict[str, Any]:
    def constant(name: str) -> float:
        raise ValueError(f"{name} is not a number")

    try:
        values = json.loads(text, parse_constant=constant)
    except ValueError as error:
        raise refusal(where, f"has a description that is not JSON ({error})", *_MADE_WRONG) from error
    if not isinstance(values, dict):
        raise refusal(where, "has a description that is not a JSON object", *_MADE_WRONG)
    return values


def _check_version(values: dict[str, Any], where: str) -> None:
    """Refuse what a newer Glyphlet wrote, before anything else can look wrong about it."""
    writer = values.get("glyphlet", "an unknown version")
    newer = f"pip install -U glyphlet (the file was written by {writer}, this is {__version__})"
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise refusal(
            where,
            f"has format {values['format']} and needs a Glyphlet newer than {__version__}",
            f"format 1 to {FORMAT}" if FORMAT > 1 else "format 1",
            newer,
        )
    features = values.get("features")
    unknown = [str(f) for f in features if f not in FEATURES] if isinstance(features, list) else []
    if unknown:
        able = ", ".join(sorted(FEATURES)) or "no features"
        raise refusal(where, f"needs {', '.join(unknown)}, which Glyphlet {__version__} cannot do", able, newer)
    calibration = values.get("calibration")
    kind = calibration.get("kind") if isinstance(calibration, dict) else None
    for what, value, known in (("head", values.get("head"), HEADS), ("calibration", kind, KINDS)):
        if isinstance(value, str) and value not in known:
            raise refusal(
                where, f"has {what} {value!r}, which Glyphlet {__version__} does not know", ", ".join(known), newer
            )


def _check_types(values: dict[str, Any], types: dict[str, type], prefix: str, where: str) -> None:
    """Every key of `types` and no other, each of its type; whole numbers may stand for fractions."""
    for problem, keys in (("lacks", types.keys() - values.keys()), ("has an unknown", values.keys() - types.keys())):
        if keys:
            raise refusal(where, f"has a description that {problem} {prefix}{min(keys)}", *_MADE_WRONG)
    for key, kind in types.items():
        if type(values[key]) is not kind and not (kind is float and type(values[key]) is int):
            raise refusal(where, f"has {prefix}{key} {values[key]!r}, which is not {kind.__name__}", *_MADE_WRONG)


def _charset(values: dict[str, Any], where: str) -> Charset:
    types = {"text": str, "half_width": bool, **({"case": str} if "case" in values else {})}
    _check_types(values, types, "charset.", where)
    case = values.get("case", "keep")
    if case not in get_args(Case):
        raise refusal(where, f"has charset.case {case!r}", *_MADE_WRONG)
    return Charset.from_text(values["text"], values["half_width"], case)


def _geometry(values: dict[str, Any], where: str) -> Geometry:
    types = {f.name: type(f.default) for f in fields(Geometry) if f.name in values or f.name not in GEOMETRY}
    _check_types(values, types, "geometry.", where)
    return Geometry(**values)


__all__ = ["FEATURES", "FORMAT", "HEADS", "SINGLE", "Metadata", "refusal"]
