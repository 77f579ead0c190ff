"""Certificate authorities and the certificates they sign; what nears its end is made anew."""

from __future__ import annotations

import datetime
import warnings
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tap_cluster import certificates
from tap_cluster.places import write_private

CA_DAYS, LEAF_DAYS, RENEW_BELOW_DAYS = 3650, 365, 30
LOOPBACK_NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Leaf:
    """A certificate to have: whose it is, and under which names and addresses it serves."""

    common_name: str
    organization: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its certificate and its key."""

    certificate: x509.Certificate
    key: certificates.SigningKey

    @classmethod
    def ensure(cls, folder: Path, name: str) -> Authority:
        """Load the authority kept in `folder`, or make it."""
        if expires_soon(folder / "tls.crt"):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = certificates.name(name)
            made = certificates.build(subject, key.public_key(), CA_DAYS, (subject, key), None)
            write_private(folder / "tls.key", certificates.private_pem(key))
            write_private(folder / "tls.crt", certificates.pem(made))
        return cls.load((folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes())

    @classmethod
    def load(cls, certificate: bytes, key: bytes) -> Authority:
        """Take an authority from PEM."""
        loaded = load_pem_private_key(key, password=None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            what = "a certificate authority needs an EC or RSA key"
            raise TypeError(what)
        return cls(x509.load_pem_x509_certificate(certificate), loaded)

    @property
    def pem(self) -> bytes:
        """The certificate that others trust."""
        return certificates.pem(self.certificate)

    @property
    def name(self) -> x509.Name:
        """The subject, by which others find it. Crossplane's says country "Earth", which the library warns of."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return self.certificate.subject

    def issue(self, folder: Path, leaf: Leaf) -> Path:
        """Have `tls.crt`, `tls.key` and `ca.crt` for `leaf` in `folder`, made anew if they end soon or do not fit."""
        if expires_soon(folder / "tls.crt") or not self._fits(folder, leaf):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = certificates.name(leaf.common_name, leaf.organization)
            made = certificates.build(subject, key.public_key(), LEAF_DAYS, (self.name, self.key), leaf.names)
            write_private(folder / "tls.key", certificates.private_pem(key))
            write_private(folder / "tls.crt", certificates.pem(made))
            write_private(folder / "ca.crt", self.pem)
        return folder

    def _fits(self, folder: Path, leaf: Leaf) -> bool:
        ca = folder / "ca.crt"
        if not (folder / "tls.key").exists() or not ca.exists() or ca.read_bytes() != self.pem:
            return False
        have = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())
        wanted = certificates.name(leaf.common_name, leaf.organization)
        return have.subject == wanted and certificates.served(have) == leaf.names


def expires_soon(path: Path, now: datetime.datetime | None = None) -> bool:
    """Say whether a certificate is absent, or has fewer than 30 days left."""
    if not path.exists():
        return True
    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return end - (now or datetime.datetime.now(datetime.UTC)) < datetime.timedelta(days=RENEW_BELOW_DAYS)


def service_account_key(path: Path) -> Path:
    """Have the key that signs service account tokens."""
    if not path.exists():
        write_private(path, certificates.private_pem(ec.generate_private_key(ec.SECP256R1())))
    return path
