"""The cursor cache forgets what was not used for longest."""

from __future__ import annotations

from spice_server.cursor.cache import MAX_CURSORS, CursorCache


def test_the_longest_unused_goes_first():
    cache = CursorCache(2)
    assert not cache.use(1)
    assert cache.add(1) is None
    assert cache.add(2) is None
    assert cache.use(1)
    assert cache.add(3) == 2
    assert 1 in cache
    assert 2 not in cache
    assert len(cache) == 2
    cache.clear()
    assert len(cache) == 0
    assert MAX_CURSORS == 256
