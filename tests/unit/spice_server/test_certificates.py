from __future__ import annotations

import logging
import shutil

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from spice_server.certificate_subject import (
    subject_of,
    subject_of_file,
    without_blanks,
)
from spice_server.certificates import Certificates, tls_context
from spice_server.config import TlsConfig
from spice_server.errors import OperatorError
from tests.fakes.pki import write_pki

SUBJECT = "O=Test,CN=spice-test"


class Rig:
    def __init__(self, folder, **options):
        self.folder = write_pki(folder)
        self.now = 100.0
        self.certificates = Certificates(
            TlsConfig.from_directory(folder, **options), lambda: self.now
        )

    def replace(self, name="other"):
        """Put another certificate in place, as a renewal does."""
        fresh = write_pki(self.folder / "new", name)
        for path in fresh.iterdir():
            path.replace(self.folder / path.name)


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(OperatorError, match=r"server-cert\.pem, which is not there"):
        tls_context(TlsConfig.from_directory(tmp_path))


def test_bad_files_and_ciphers_are_refused(tmp_path):
    pki = write_pki(tmp_path)
    with pytest.raises(OperatorError, match="TLS cannot use"):
        tls_context(TlsConfig.from_directory(pki, ciphers="NO-SUCH-CIPHER"))
    (pki / "server-key.pem").write_text("not a key")
    with pytest.raises(OperatorError, match="TLS cannot use"):
        tls_context(TlsConfig.from_directory(pki))


def test_verification_needs_a_ca(tmp_path):
    pki = write_pki(tmp_path)
    config = TlsConfig(
        pki / "server-cert.pem", pki / "server-key.pem", verify_peer=True
    )
    with pytest.raises(OperatorError, match="cannot be verified without"):
        tls_context(config)


def test_the_subject_is_told(rig, caplog):
    caplog.set_level(logging.INFO)
    assert rig.certificates.subject == SUBJECT
    rig.certificates.reload()
    assert f"TLS certificate of {SUBJECT}, valid until 20" in caplog.text


def test_a_certificate_that_ends_soon_is_warned_of(tmp_path, caplog):
    write_pki(tmp_path, days=3)
    Certificates(TlsConfig.from_directory(tmp_path))
    assert f"the TLS certificate of {SUBJECT} ends at 20" in caplog.text


def test_files_that_stay_are_read_once(rig):
    terms = rig.certificates.terms()
    rig.now += 1000
    assert rig.certificates.terms() is terms


def test_files_that_change_are_read_again_at_most_once_a_second(rig):
    old = rig.certificates.terms()
    rig.replace()
    rig.now += 0.9
    assert rig.certificates.terms() is old
    rig.now += 0.1
    assert rig.certificates.terms() is not old
    assert rig.certificates.subject == "O=Test,CN=other"


def test_by_command_at_once(rig):
    rig.replace()
    rig.certificates.reload()
    assert rig.certificates.subject == "O=Test,CN=other"
    terms = rig.certificates.terms()
    rig.now += 10
    assert rig.certificates.terms() is terms


@pytest.mark.parametrize("name", ["server-cert.pem", "server-key.pem", "ca-cert.pem"])
@pytest.mark.parametrize("fault", ["rubbish", "gone", "empty"])
def test_what_cannot_be_used_changes_nothing_and_is_told_once(rig, caplog, name, fault):
    old = rig.certificates.terms()
    path = rig.folder / name
    kept = path.read_bytes()
    path.unlink()
    if fault != "gone":
        path.write_text("rubbish" if fault == "rubbish" else "")
    for _ in range(3):
        rig.now += 5
        assert rig.certificates.terms() is old
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert str(rig.folder) in line
    assert line.endswith(f"; the certificate of {SUBJECT} is still used")
    with pytest.raises(OperatorError, match="is still used"):
        rig.certificates.reload()
    path.unlink(missing_ok=True)
    path.write_bytes(kept)
    rig.now += 5
    assert rig.certificates.terms() is not old


def test_a_certificate_without_its_key_is_not_used(rig, caplog):
    old = rig.certificates.terms()
    fresh = write_pki(rig.folder / "new", "other")
    shutil.copy(fresh / "server-cert.pem", rig.folder)
    rig.now += 5
    assert rig.certificates.terms() is old
    assert "KEY_VALUES_MISMATCH" in caplog.text
    shutil.copy(fresh / "server-key.pem", rig.folder)
    rig.now += 5
    assert rig.certificates.terms() is not old


def test_a_link_that_is_turned_is_a_change(tmp_path):
    for name in ("one", "two"):
        write_pki(tmp_path / name, name)
    (tmp_path / "live").symlink_to("one")
    now = [0.0]
    config = TlsConfig.from_directory(tmp_path / "live")
    certificates = Certificates(config, lambda: now[0])
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(tmp_path / "live")
    now[0] = 5.0
    certificates.terms()
    assert certificates.subject == "O=Test,CN=two"


# -- subjects ------------------------------------------------------------------


def test_subject_of_a_file(tmp_path):
    pki = write_pki(tmp_path)
    assert subject_of_file(pki / "server-cert.pem") == SUBJECT
    with pytest.raises(ValueError, match="PEM"):
        subject_of_file(pki / "server-key.pem")


def test_values_are_escaped():
    class Certificate:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A, B \\ C"),
                x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@example.org"),
            ]
        )

    expected = r"C=DE,O=A\, B \\ C,1.2.840.113549.1.9.1=a@example.org"
    assert subject_of(Certificate()) == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" O=Test , CN=me", "O=Test,CN=me"),
        (r"O=A\, B,CN=x", r"O=A\, B,CN=x"),
        (r"O=A\\, CN=x", r"O=A\\,CN=x"),
        ("", ""),
    ],
)
def test_blanks_around_parts_do_not_count(written, meant):
    assert without_blanks(written) == meant
