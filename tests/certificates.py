"""Certificates for tests: an authority, and servers' certificates of every kind, good and bad."""

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clarion.runtime.clock import system_clock

DAY = dt.timedelta(days=1)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """What a server shows, and its key with it: PEM files."""

    certificate: Path
    key: Path


@dataclass
class Authority:
    """Signs what it is asked to; its own certificate is `file`."""

    folder: Path
    name: str = "authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        subject = _named(self.name)
        self.certificate = (
            _valid(x509.CertificateBuilder(), -DAY, DAY)
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.file = self.folder / f"{self.name}.pem"
        self.file.write_bytes(_pem(self.certificate))

    def issue(self, name: str, *, host: str = LOOPBACK, starts: float = -1, ends: float = 1) -> Certificate:
        """A certificate for `host`, valid from and until so many days from now. The key's file holds both."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _valid(x509.CertificateBuilder(), starts * DAY, ends * DAY)
            .subject_name(_named(name))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        made = Certificate(self.folder / f"{name}.crt", self.folder / f"{name}.pem")
        made.certificate.write_bytes(_pem(certificate))
        made.key.write_bytes(_private(key) + _pem(certificate))
        return made


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _valid(builder: x509.CertificateBuilder, starts: dt.timedelta, ends: dt.timedelta) -> x509.CertificateBuilder:
    now = system_clock()
    return builder.serial_number(x509.random_serial_number()).not_valid_before(now + starts).not_valid_after(now + ends)


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
