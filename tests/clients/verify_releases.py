"""Checks signed releases, or an exported file, with nothing of cacah: SHA-256 and Ed25519 are those of Python.

    verify_releases.py KEY FOLDER       a folder of releases
    verify_releases.py KEY FILE         an exported file: its seal, and the signatures of the releases that it names

KEY is the file release.pub. Ends with 0 where all is well; otherwise it says what is not, and ends with 1.
"""

import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OWN = {"manifest.json", "manifest.sig", "withdrawal.json", "withdrawal.sig"}


class Key:
    """A public key."""

    def __init__(self, line: str) -> None:
        kind, key, self.id = line.split()
        raw = base64.b64decode(key)
        if kind != "cacah-ed25519" or hashlib.sha256(raw).hexdigest()[:16] != self.id:
            raise SystemExit("no public key of releases")
        self.key = Ed25519PublicKey.from_public_bytes(raw)

    def signs(self, kind: str, folder: str, sha256: str, signature: str) -> bool:
        """Whether this key has signed a document."""
        try:
            self.key.verify(base64.b64decode(signature, validate=True), f"cacah {kind} v1\n{folder}\n{sha256}\n".encode())
        except (InvalidSignature, ValueError):
            return False
        return True


def sha256(content: bytes) -> str:
    """The digest of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def signed(key: Key, kind: str, folder: Path, name: str) -> Iterator[str]:
    """What is wrong with the signature of a document."""
    document, file = folder / f"{kind}.json", folder / f"{kind}.sig"
    if not file.exists():
        yield f"{name}/{kind}.json is not signed"
        return
    try:
        text = file.read_text()
        told = json.loads(text)
        as_written = json.dumps({part: told[part] for part in ("algorithm", "key", "signature")}, separators=(",", ":")) + "\n"
        right = text == as_written and told["algorithm"] == "ed25519" and told["key"] == key.id
        right = right and key.signs(kind, name, sha256(document.read_bytes()), told["signature"])
    except (ValueError, KeyError, TypeError):
        right = False
    if not right:
        yield f"{name}/{kind}.json differs from what was signed"


def faults_of_release(key: Key, folder: Path, name: str) -> Iterator[str]:
    """What is wrong with the folder of a release, which has a manifest."""
    yield from signed(key, "manifest", folder, name)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    if f"{manifest['period']}/r{manifest['revision']}" != name:
        yield f"{name} is of another release"
    withdrawn = (folder / "withdrawal.json").exists()
    if withdrawn:
        yield from signed(key, "withdrawal", folder, name)
        told = json.loads((folder / "withdrawal.json").read_bytes())
        if told["manifest"] != sha256((folder / "manifest.json").read_bytes()):
            yield f"{name} is withdrawn as another release"
    elif (folder / "withdrawal.sig").exists():
        yield f"{name} has lost its withdrawal"
    for file, digest in manifest["files"].items():
        path = folder / file
        if not path.exists():
            if not withdrawn:
                yield f"{name}/{file} is missing"
        elif (path.stat().st_size, sha256(path.read_bytes())) != (digest["bytes"], digest["sha256"]):
            yield f"{name}/{file} differs"
    for path in folder.rglob("*"):
        file = path.relative_to(folder).as_posix()
        if path.is_file() and file not in OWN and file not in manifest["files"]:
            yield f"{name}/{file} does not belong there"


def faults_of_store(key: Key, store: Path) -> Iterator[str]:
    """What is wrong with a folder of releases."""
    known: dict[str, dict[str, Any]] = {}
    digests: dict[str, str] = {}
    for folder in sorted(store.glob("*/r*")):
        name = folder.relative_to(store).as_posix()
        if not (folder / "manifest.json").exists():
            yield f"{name} has no manifest"
            continue
        try:
            yield from faults_of_release(key, folder, name)
            known[name] = json.loads((folder / "manifest.json").read_bytes())
            digests[name] = sha256((folder / "manifest.json").read_bytes())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield f"{name} cannot be read: {error}"
    if not known:
        yield "there is no release"
    for name, manifest in known.items():
        chain = manifest["chain"]
        for digest in [*chain["follows"], *filter(None, [chain.get("corrects")])]:
            if digest not in digests.values():
                yield f"{name} follows a release that is gone"
        for withdrawn in chain.get("withdrawn", []):
            if withdrawn in known and not (store / withdrawn / "withdrawal.json").exists():
                yield f"the withdrawal of {withdrawn} is gone"


def png_chunks(file: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, content and place of the checksum of each chunk of a PNG."""
    at = 8
    while at + 12 <= len(file):
        (length,) = struct.unpack(">I", file[at : at + 4])
        yield file[at + 4 : at + 8], file[at + 8 : at + 8 + length], at + 8 + length
        at += 12 + length


def provenance(file: bytes) -> tuple[str, range]:
    """What an exported file says of itself, and the bytes that its seal takes for zeros besides its own."""
    if file.startswith(b"\x89PNG"):
        for kind, content, checksum in png_chunks(file):
            if kind == b"iTXt" and content.startswith(b"Provenance\0\0\0\0\0"):
                if struct.pack(">I", zlib.crc32(kind + content)) != file[checksum : checksum + 4]:
                    raise ValueError("a checksum differs")
                return content[15:].decode(), range(checksum, checksum + 4)
        raise ValueError("it says nothing")
    if file.startswith(b"%PDF-"):
        return file[file.rindex(b"\n%cacah ") + 8 :].split(b"\n")[0].decode(), range(0)
    if file.startswith(b"PK\x03\x04"):
        end = file.rindex(b"PK\x05\x06")
        (length,) = struct.unpack("<H", file[end + 20 : end + 22])
        if len(file) != end + 22 + length:
            raise ValueError("the end of the archive differs")
        return file[end + 22 :].decode(), range(0)
    if file.startswith(b"PAR1"):
        import pyarrow
        import pyarrow.parquet

        return pyarrow.parquet.read_metadata(pyarrow.BufferReader(file)).metadata[b"cacah"].decode(), range(0)
    if file.lstrip().startswith(b"{"):
        return json.dumps(json.loads(file)["extension"]["provenance"]), range(0)
    told = re.search("<metadata>(.*?)</metadata>", file.decode(), re.DOTALL)
    if told is None:
        raise ValueError("it says nothing")
    return told[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), range(0)


def faults_of_file(key: Key, file: bytes) -> Iterator[str]:
    """What is wrong with an exported file, as far as it tells."""
    try:
        text, exempt = provenance(file)
        told = json.loads(text)
        seal = told["seal"]
        mark = f'"seal":"{seal}'.encode()
        if file.count(mark) != 1 or not re.fullmatch("[0-9a-f]{64}", seal):
            raise ValueError("it has no seal")
        unsealed = bytearray(file.replace(mark, b'"seal":"' + b"0" * 64))
        for at in exempt:
            unsealed[at] = 0
        if sha256(bytes(unsealed)) != seal:
            yield "a byte was changed"
        for release in told["releases"]:
            if not key.signs("manifest", release["id"], release["sha256"], release["signature"]):
                yield f"{release['id']} is not signed"
        if not told["releases"]:
            yield "it names no release"
    except Exception as error:  # noqa: BLE001 -- whatever a damaged file brings about
        yield f"it cannot be read: {error}"


def main() -> None:
    """Runs the program."""
    key = Key(Path(sys.argv[1]).read_text())
    place = Path(sys.argv[2])
    faults = list(faults_of_store(key, place) if place.is_dir() else faults_of_file(key, place.read_bytes()))
    for fault in faults:
        print(f"FAULT: {fault}")
    if faults:
        raise SystemExit(1)
    print("all is what was signed")


if __name__ == "__main__":
    main()
