"""Parts of a model that a training leaves as they are, to the last bit.

A frozen module has no gradient and no optimiser state, and stays in evaluation mode: the running statistics of its batch
normalisations do not move, and nothing in it is dropped. So it computes in training what it computes in reading.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.recognizer import Recognizer
from glyphlet.registry import nearest


def freeze(model: Recognizer, names: Sequence[str]) -> list[nn.Module]:
    """Take the gradients from parts of a model.

    Args:
        model: any recogniser.
        names: parts, or dotted names of modules in them.

    Returns:
        The modules; give them to `train_mode`.

    Raises:
        RecipeError: a name is no module, or nothing would be left to train.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    for name in names:
        if name not in modules:
            inner = [m for m in modules if m.count(".") <= name.count(".")]
            raise RecipeError(
                f"start.freeze names {name!r}, which is no part of this model{nearest(name, inner)}",
                allowed=f"{', '.join(model.parts())}, or a module in one of them, such as "
                f"{next(m for m in modules if '.' in m)}",
                next_step="correct start.freeze",
            )
    frozen = [modules[name] for name in names]
    for module in frozen:
        module.requires_grad_(False)
    if not any(p.requires_grad for p in model.parameters()):
        raise RecipeError(
            f"start.freeze leaves nothing to train: {', '.join(names)}",
            allowed="at least one part that is not frozen",
            next_step="remove one, such as head",
        )
    return frozen


def norms(model: Recognizer, parts: Sequence[str]) -> list[nn.Module]:
    """The batch normalisations of parts of a model; those given to `train_mode` compute with their running statistics."""
    kinds = nn.modules.batchnorm._BatchNorm
    return [module for part in parts for module in getattr(model, part).modules() if isinstance(module, kinds)]


def train_mode(model: nn.Module, frozen: Sequence[nn.Module]) -> None:
    """Put a model into training mode, and its frozen modules into evaluation mode."""
    model.train()
    for module in frozen:
        for inner in module.modules():
            # A recurrent layer computes the same in both modes, and cuDNN passes gradients back in training mode only.
            inner.training = isinstance(inner, nn.RNNBase) and not inner.dropout
