"""Any bytes of guests and clients on a port's channel; see ``hostile_port``."""

from __future__ import annotations

import logging
import random

import pytest
from hypothesis import given, strategies as st

from tests.fakes.hostile_port import KINDS, make_script, play


@given(st.binary(max_size=1500))
def test_any_script(script):
    play(script)


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_scripts_with_some_sense(kind):
    logging.disable(logging.WARNING)
    generator = random.Random(kind)
    try:
        for _ in range(300):
            script = bytearray(make_script(generator))
            script[0] = script[0] & ~3 | kind
            play(bytes(script))
    finally:
        logging.disable(logging.NOTSET)
