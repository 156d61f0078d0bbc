"""Certificates, made for one test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path


@attrs.frozen
class Certificate:
    """A certificate and its key, as PEM files and as they are."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path
    key_file: Path


#: How long before now a certificate begins, and how long after it ends.
VALID: Final = (timedelta(minutes=5), timedelta(hours=1))


def certificate(
    folder: Path,
    name: str,
    *,
    issuer: Certificate | None = None,
    valid: tuple[timedelta, timedelta] = VALID,
) -> Certificate:
    """Return a certificate for 127.0.0.1, issued by `issuer` or by itself, valid for an hour.

    `valid` says for how long it has been, and is; less than nothing means that it is not.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signer = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - valid[0])
        .not_valid_after(now + valid[1])
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.IPAddress(ip_address("127.0.0.1")),
                    x509.DNSName(f"{name}.example.com"),
                    x509.UniformResourceIdentifier(f"https://{name}.example.com/"),
                    x509.RFC822Name(f"{name}@example.com"),
                ]
            ),
            critical=False,
        )
        # Python 3.13 and later want the usage of an authority's key, and the identifiers.
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=issuer is None,
                crl_sign=issuer is None,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    signed = builder.sign(signer, hashes.SHA256())
    made = Certificate(signed, key, folder / f"{name}.pem", folder / f"{name}.key")
    made.certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made
