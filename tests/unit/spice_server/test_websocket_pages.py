"""Pages over HTTP: which files, with which headers."""

from __future__ import annotations

import os
from http import HTTPStatus

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from spice_server.errors import OperatorError
from spice_server.websocket import pages as module
from spice_server.websocket.pages import START_PAGE, Pages


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "html5"
    root.mkdir()
    (root / START_PAGE).write_text("<script>go()</script>")
    (root / "main.js").write_bytes(b"import './x.js';")
    (root / "sub").mkdir()
    (root / "sub" / "a b.css").write_bytes(b"p{}")
    (root / "strange.xyz").write_bytes(b"?")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "html5-too").mkdir()
    (tmp_path / "html5-too" / "secret").write_bytes(b"secret")
    return root


class Got:
    """An answer, taken apart."""

    def __init__(self, answer):
        head, _, self.body = answer.data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = answer.status
        assert first == f"HTTP/1.1 {self.status:d} {self.status.phrase}"
        self.headers = dict(line.split(": ", 1) for line in lines)
        assert len(self.headers) == len(lines)


def get(folder, path, method="GET", **headers):
    fields = Headers({k.replace("_", "-"): v for k, v in headers.items()})
    return Got(Pages(folder).answer(Request(path, fields, method)))


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/main.js", b"import './x.js';", "text/javascript; charset=utf-8"),
        ("/main.js?x=/../y", b"import './x.js';", "text/javascript; charset=utf-8"),
        ("/sub/a%20b.css", b"p{}", "text/css; charset=utf-8"),
        ("/sub/../main.js", b"import './x.js';", "text/javascript; charset=utf-8"),
        ("/strange.xyz", b"?", "application/octet-stream"),
    ],
)
def test_files(folder, path, body, kind):
    got = get(folder, path)
    assert (got.status, got.body) == (HTTPStatus.OK, body)
    assert got.headers["Content-Type"] == kind
    assert got.headers["Content-Length"] == str(len(body))
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Connection"] == "close"


def test_head_is_get_without_a_body(folder):
    whole, head = get(folder, "/main.js"), get(folder, "/main.js", "HEAD")
    assert head.body == b""
    assert head.headers | {"Date": ""} == whole.headers | {"Date": ""}
    assert get(folder, "/nothing", "HEAD").body == b""


def test_the_page_that_connects_by_itself(folder):
    got = get(folder, "/")
    assert (got.status, got.headers["Location"]) == (HTTPStatus.FOUND, START_PAGE)
    page = get(folder, f"/{START_PAGE}?password=x")
    assert "sha256-" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/sub",
        "/sub/",
        "/main.js/",
        "/../secret",
        "/..%2fsecret",
        "/%2e%2e/secret",
        "/sub/../../secret",
        "/../html5-too/secret",
        "//secret",
        "/..\\secret",
        "/%00",
        "/main.js%00.html",
        "/%",
        "/%ff",
        "/" + "a/" * 5000,
        "/" + "a" * 300,
        "*",
        "http://elsewhere/main.js",
    ],
)
def test_what_is_not_there(folder, path):
    got = get(folder, path)
    assert (got.status, got.body) == (HTTPStatus.NOT_FOUND, b"Not Found\n")


def test_the_absolute_path_of_a_file_is_not_its_name(folder):
    assert get(folder, f"/{folder.parent / 'secret'}").status == HTTPStatus.NOT_FOUND


def test_links_are_followed_inside_only(folder):
    (folder / "in.js").symlink_to("main.js")
    (folder / "out").symlink_to(folder.parent / "secret")
    (folder / "up").symlink_to("..")
    (folder / "round").symlink_to("round")
    assert get(folder, "/in.js").body == b"import './x.js';"
    for path in ("/out", "/up/secret", "/up/html5-too/secret", "/round"):
        assert get(folder, path).status == HTTPStatus.NOT_FOUND, path
    assert get(folder, "/up/html5/main.js").status == HTTPStatus.OK


def test_what_is_no_file_or_too_large(folder, monkeypatch):
    os.mkfifo(folder / "fifo")
    monkeypatch.setattr(module, "MAX_PAGE", 10)
    for name in ("fifo", "main.js"):
        assert get(folder, f"/{name}").status == HTTPStatus.NOT_FOUND


def test_a_file_that_cannot_be_opened(folder, monkeypatch):
    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(module.os, "open", refused)
    assert get(folder, "/main.js").status == HTTPStatus.NOT_FOUND


def test_what_a_browser_has_is_not_sent_again(folder):
    first = get(folder, "/main.js").headers
    tag, date = first["ETag"], first["Last-Modified"]
    for headers in (
        {"If_None_Match": tag},
        {"If_None_Match": f'"x", W/{tag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": date},
    ):
        got = get(folder, "/main.js", **headers)
        assert (got.status, got.body) == (HTTPStatus.NOT_MODIFIED, b""), headers
        assert got.headers["ETag"] == tag
    for headers in (
        {"If_None_Match": '"x"', "If_Modified_Since": date},
        {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If_Modified_Since": "junk"},
    ):
        assert get(folder, "/main.js", **headers).status == HTTPStatus.OK
    (folder / "main.js").write_bytes(b"longer than it was before")
    assert get(folder, "/main.js", If_None_Match=tag).status == HTTPStatus.OK


def test_no_pages_in_that_folder(folder):
    with pytest.raises(OperatorError, match="install spice-html5"):
        Pages(folder / "sub")
