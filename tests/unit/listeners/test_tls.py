import ssl

import pytest
import trustme

from gateway.errors import GatewayError
from gateway.listeners.options import TlsFiles
from gateway.listeners.tls import Tls, context, peer_certificate


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    return write(authority, tmp_path)


def write(authority, folder):
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")


def test_old_protocols_are_off_and_client_certificates_demanded(files):
    made = context(files)
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert context(TlsFiles(files.certificate, files.key)).verify_mode is ssl.CERT_NONE


def test_a_missing_file_is_named(files, tmp_path):
    with pytest.raises(GatewayError, match=r"gone\.pem"):
        context(TlsFiles(tmp_path / "gone.pem", files.key))


def test_changed_files_are_taken_and_unchanged_are_not(files, authority, tmp_path):
    tls = Tls(files)
    before = tls.context
    assert not tls.reload()
    assert tls.context is before
    write(authority, tmp_path)
    assert tls.reload()
    assert tls.context is not before
    assert tls.reload(force=True)


def test_broken_files_leave_the_old_certificate_in_use(files, authority, tmp_path, caplog):
    tls = Tls(files)
    before = tls.context
    files.certificate.write_text("not a certificate")
    assert not tls.reload()
    assert tls.context is before
    assert "cannot be used" in tls.fault
    assert "old certificate stays" in caplog.text
    files.key.unlink()
    assert not tls.reload()
    write(authority, tmp_path)
    assert tls.reload()
    assert tls.fault == ""


class Peer:
    def __init__(self, der, parsed):
        self.der, self.parsed = der, parsed

    def getpeercert(self, binary_form=False):
        return self.der if binary_form else self.parsed


def test_a_peer_is_its_subject_and_fingerprint():
    peer = Peer(b"der", {"subject": ((("organizationName", "LIS"),), (("commonName", "lis.example"),))})
    text = peer_certificate(peer)
    assert text.startswith("O=LIS,CN=lis.example sha256:")
    assert len(text.rsplit(":", 1)[1]) == 64


def test_a_peer_without_certificate_is_nobody():
    assert peer_certificate(Peer(None, None)) == ""
