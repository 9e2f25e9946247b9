import dataclasses
import json

import pytest

from glyphlet import Character, Reading

READING = Reading("7é", 0.5, (Character("7", 0.9, 0.0, 8.0), Character("é", 0.6, 12.0, 16.5)), "7_é", "a.png")


def test_to_dict_survives_json():
    assert json.loads(json.dumps(READING.to_dict())) == {
        "text": "7é",
        "confidence": 0.5,
        "characters": [
            {"char": "7", "confidence": 0.9, "left": 0.0, "right": 8.0},
            {"char": "é", "confidence": 0.6, "left": 12.0, "right": 16.5},
        ],
        "raw": "7_é",
        "source": "a.png",
    }


def test_a_reason_stands_in_the_dictionary_where_there_is_one():
    assert dataclasses.replace(READING, reason="none").to_dict()["reason"] == "none"


def test_readings_are_frozen_values():
    assert dataclasses.replace(READING) == READING
    with pytest.raises(dataclasses.FrozenInstanceError):
        READING.text = "8"  # type: ignore[misc]
