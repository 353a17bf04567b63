"""The secrets of an embedded run are made once, are private, and have the forms that the settings expect."""

from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reviewqueue.embedded import secrets


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = secrets.ensure(tmp_path)
    assert secrets.ensure(tmp_path) == first == secrets.read(tmp_path)
    assert (tmp_path / "settings.env").stat().st_mode & 0o077 == 0


def test_what_stands_in_the_file_is_not_overwritten_and_what_lacks_is_added(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("# mine\nSECRET_KEY=chosen=by=me\nOTHER=kept\n")
    kept = secrets.ensure(tmp_path)
    assert (kept["SECRET_KEY"], kept["OTHER"]) == ("chosen=by=me", "kept")
    assert set(kept) == {*secrets.MAKERS, "OTHER"}
    assert secrets.read(tmp_path) == kept


def test_secrets_have_their_forms() -> None:
    made = secrets.generate()
    number, _, key = made["AUDIT_SECRETS"].partition(":")
    assert (number, len(bytes.fromhex(key)), len(bytes.fromhex(made["SUBJECT_SECRET"]))) == ("1", 32, 32)
    assert Fernet(made["SECRET_BOX_KEYS"])
    assert Ed25519PrivateKey.from_private_bytes(bytes.fromhex(made["CHECKPOINT_KEY"]))
    assert len(made["SECRET_KEY"]) >= 50
    assert made != secrets.generate()
