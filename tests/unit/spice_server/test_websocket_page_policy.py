"""Which scripts a page may run."""

from __future__ import annotations

import base64
import hashlib

from spice_server.websocket.page_policy import inline_scripts, security_headers

PAGE = """<!-- <script>not this</script> -->
<!doctype html><html><head>
<script type="module">first(1 < 2);</script>
<script src="file.js"></script>
<SCRIPT>\nsecond()\n</SCRIPT>
</head><body ONLOAD="third()"><p onclick='fourth("&amp;")' id=onx>text</p><p onclick>
<script>never closed"""


def source(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(page: str) -> dict[str, list[str]]:
    headers = security_headers("text/html; charset=utf-8", page.encode())
    rules = headers["Content-Security-Policy"].split("; ")
    return {rule.split()[0]: rule.split()[1:] for rule in rules}


def test_inline_scripts():
    blocks, handlers = inline_scripts(PAGE)
    assert blocks == ["first(1 < 2);", "\nsecond()\n"]
    assert handlers == ["third()", 'fourth("&")']


def test_a_page_runs_its_own_scripts_and_no_others():
    scripts = policy(PAGE)["script-src"]
    assert set(scripts) == {
        "'self'",
        "'unsafe-hashes'",
        source("first(1 < 2);"),
        source("\nsecond()\n"),
        source("third()"),
        source('fourth("&")'),
    }


def test_browsers_hash_lines_that_end_with_lf():
    assert source("a\nb\nc") in policy("<script>a\r\nb\rc</script>")["script-src"]


def test_handlers_are_allowed_only_if_there_are_some():
    assert policy("<p>text</p>")["script-src"] == ["'self'"]


def test_a_page_may_connect_anywhere_but_load_nothing_foreign():
    rules = policy("")
    assert rules["connect-src"] == ["'self'", "ws:", "wss:"]
    assert rules["default-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'self'"]
    assert rules["img-src"] == ["'self'", "data:", "blob:"]


def test_other_files_need_no_policy():
    headers = security_headers("text/css", b"<script>")
    assert "Content-Security-Policy" not in headers
    assert headers["Referrer-Policy"] == "no-referrer"
