from __future__ import annotations

from typing import TYPE_CHECKING

from spice_server.inputs.no_input import NoInput

if TYPE_CHECKING:
    from vd_interfaces.input import InputSink


def test_takes_everything_and_keeps_nothing():
    sink: InputSink = NoInput()
    sink.on_change(lambda: None)
    sink.push_scancode(0x1E)
    sink.motion(1, 2, 3, 4)
    sink.position(5, 6, 7, 0)
    sink.buttons(1)
    sink.set_displays({})
    sink.release_all()
    assert not sink.has_tablet
    assert sink.leds == 0
