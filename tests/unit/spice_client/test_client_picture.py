"""Pictures as files, read by Pillow."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from spice_client.picture import Picture

PICTURE = Picture(3, 2, bytes(range(18)))


@pytest.mark.parametrize("name", ["png", "ppm"])
def test_pillow_reads_it(name: str) -> None:
    with Image.open(io.BytesIO(getattr(PICTURE, name)())) as image:
        image.load()
        assert (image.format or "").lower() == name
        assert image.size == (3, 2)
        assert image.tobytes() == PICTURE.rgb
