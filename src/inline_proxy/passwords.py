"""The password file of `admin.listen`: names, and hashes of their passwords (scrypt, RFC 7914)."""

import hashlib
import hmac
import os
from typing import Final

SCHEME: Final = "scrypt"
SALT_BYTES: Final = 16
# 64 MB and some tenth of a second for each password that somebody tries.
N, R, P = 2**16, 8, 1
MEMORY_BYTES: Final = 2**27
HASH_BYTES: Final = 32


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return what the password file keeps of a password: salt and hash, in hexadecimal."""
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    digest = hashlib.scrypt(
        password.encode(), salt=salt, n=N, r=R, p=P, maxmem=MEMORY_BYTES, dklen=HASH_BYTES
    )
    return f"{SCHEME}${salt.hex()}${digest.hex()}"


def is_password(password: str, kept: str) -> bool:
    """Tell whether a password is the one that is kept."""
    _, salt, _ = kept.split("$")
    return hmac.compare_digest(hashed(password, bytes.fromhex(salt)), kept)


def users_in(text: str) -> dict[str, str]:
    """Read `NAME:HASH` lines; raises `ValueError` for a line of another kind."""
    lines = text.splitlines()
    return dict(_user_in(line) for line in lines if line.strip() and not line.startswith("#"))


def _user_in(line: str) -> tuple[str, str]:
    user, _, kept = line.strip().partition(":")
    scheme, salt, digest = kept.split("$")
    if not user or scheme != SCHEME or len(bytes.fromhex(digest)) != HASH_BYTES:
        raise ValueError(user)
    bytes.fromhex(salt)
    return user, kept


def with_user(text: str, user: str, password: str) -> str:
    """Return a password file's text with another password for a user, who may be new."""
    others = [line for line in text.splitlines() if line.partition(":")[0] != user]
    return "\n".join((*others, f"{user}:{hashed(password)}", ""))
