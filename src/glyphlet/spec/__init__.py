"""A recipe: everything that decides what is trained, on one page of YAML.

A recipe is complete: no base files and no interpolation. An unknown key is an error that names the nearest known one.
`--set train.lr=3e-4` on the command line overrides one value; the text after `=` is YAML.
"""

from glyphlet.spec.data import AnySource, DataSpec, SourceSpec
from glyphlet.spec.parts import CharsetSpec, ModelSpec, PartSpec
from glyphlet.spec.recipe import (
    Recipe,
    apply_settings,
    load_recipe,
    load_values,
    recipe_from,
    recipes_folder,
    shipped_recipes,
    with_settings,
)
from glyphlet.spec.start import ReplaySpec, StartSpec
from glyphlet.spec.synth import SynthSpec
from glyphlet.spec.teacher import TeacherSpec
from glyphlet.spec.train import TrainSpec

__all__ = [
    "AnySource",
    "CharsetSpec",
    "DataSpec",
    "ModelSpec",
    "PartSpec",
    "Recipe",
    "ReplaySpec",
    "SourceSpec",
    "StartSpec",
    "SynthSpec",
    "TeacherSpec",
    "TrainSpec",
    "apply_settings",
    "load_recipe",
    "load_values",
    "recipe_from",
    "recipes_folder",
    "shipped_recipes",
    "with_settings",
]
