"""Puts a decoder's step into a loop of the graph, so that a file and its start cost the same for 5 characters or 500.

A decoder writes class after class, and a traced graph has no loops: it would hold a copy of the step for every character
that may come. Instead the model up to the first class is traced once, and one further step is traced once; here the step
becomes the body of an ONNX `Loop`.

    image -> begin -> first logits (N, K), class (N), state ...
                      Loop: class, state -> logits, next class, next state;  ends when every line has written its stop
    logits (N, S, K) = first logits, those of the loop, zeros for the steps that were not needed
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FIRST, CLASS, STATE, GO = "first", "class", "state", "go"
"""Names of what passes between the two graphs: the begin gives FIRST, CLASS and STATE0, STATE1, ..., the step takes CLASS
and the states, and gives GO, the next class, the next states and its logits."""
_PREFIX = "step/"


def looped(begin: onnx.ModelProto, step: onnx.ModelProto, steps: int, output: str) -> onnx.ModelProto:
    """One graph of the two.

    Args:
        begin: gives `FIRST`, `CLASS` and the states.
        step: inputs `CLASS` and the states; outputs go on (bool), next class, next states, logits, in this order.
        steps: S, the most classes that are written; 2 or more.
        output: how the logits (N, S, K) are to be called.
    """
    made = onnx.ModelProto()
    made.CopyFrom(begin)
    graph = made.graph
    carried = [value.name for value in graph.output][1:]
    classes = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    body = _body(step.graph, graph)
    constants = {
        "turns": np.array(steps - 1), "yes": np.array(True), "steps": np.array([steps]), "axis0": np.array([0]),
        "axis1": np.array([1]), "axis2": np.array([2]), "before": np.zeros(4, np.int64), "after": np.zeros(1, np.int64),
    }  # fmt: skip
    graph.initializer.extend(numpy_helper.from_array(value, f"loop/{name}") for name, value in constants.items())
    node = helper.make_node
    # The loop turns at least once: of no turns onnxruntime does not know the shape.
    graph.node.extend([
        node("Loop", ["loop/turns", "loop/yes", *carried], [*(f"loop/{name}" for name in carried), "loop/rest"], body=body),
        node("Unsqueeze", [FIRST, "loop/axis0"], ["loop/one"]),
        node("Concat", ["loop/one", "loop/rest"], ["loop/every"], axis=0),
        node("Transpose", ["loop/every"], ["loop/lines"], perm=[1, 0, 2]),
        node("Shape", ["loop/lines"], ["loop/shape"]),
        node("Slice", ["loop/shape", "loop/axis1", "loop/axis2"], ["loop/written"]),
        node("Sub", ["loop/steps", "loop/written"], ["loop/missing"]),
        node("Concat", ["loop/before", "loop/missing", "loop/after"], ["loop/pads"], axis=0),
        node("Pad", ["loop/lines", "loop/pads"], [output]),
    ])  # fmt: skip
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", steps, classes]))
    return made


def _body(step: onnx.GraphProto, outer: onnx.GraphProto) -> onnx.GraphProto:
    """The step as the body of a loop; its weights move to the outer graph, which has most of them already."""
    names = {"": ""}
    known = {_content(weight): weight.name for weight in outer.initializer}
    for weight in step.initializer:
        if (content := _content(weight)) not in known:
            known[content] = _PREFIX + weight.name
            moved = outer.initializer.add()
            moved.CopyFrom(weight)
            moved.name = known[content]
        names[weight.name] = known[content]

    def renamed(name: str) -> str:
        return names.setdefault(name, _PREFIX + name)

    body = onnx.GraphProto(name="step")
    for node in step.node:
        copy = body.node.add()
        copy.CopyFrom(node)
        copy.name = renamed(node.name)
        copy.input[:] = [renamed(name) for name in node.input]
        copy.output[:] = [renamed(name) for name in node.output]
    body.input.extend([
        helper.make_tensor_value_info(f"{_PREFIX}turn", TensorProto.INT64, []),
        helper.make_tensor_value_info(f"{_PREFIX}go_before", TensorProto.BOOL, []),
    ])  # fmt: skip
    for ours, theirs in ((body.input, step.input), (body.output, step.output)):
        for value in theirs:
            copy_value = ours.add()
            copy_value.CopyFrom(value)
            copy_value.name = renamed(value.name)
    return body


def _content(weight: onnx.TensorProto) -> tuple[object, ...]:
    return weight.data_type, tuple(weight.dims), numpy_helper.to_array(weight).tobytes()


__all__ = ["CLASS", "FIRST", "GO", "STATE", "looped"]
