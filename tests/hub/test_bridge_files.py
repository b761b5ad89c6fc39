"""Delivery of files, one test per case of docs/reference/behaviour-files.md."""

from __future__ import annotations

import errno
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from hub.jupyter.bridge import files
from hub.jupyter.bridge.errors import DeliveryError, DoorError
from hub.jupyter.bridge.files import Announced, Delivery, digest, parse_manifest
from hub.jupyter.bridge.folder import Folder, split_path

NOW = datetime(2026, 11, 24, 14, 5)
BASE = "s/m1"


class Publisher:
    """What the portal announces: path → bytes, changed at will."""

    def __init__(self, **contents: str) -> None:
        self.contents: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.publish(**contents)

    def publish(self, **contents: str) -> None:
        for name, text in contents.items():
            self.contents[name.replace("__", "/") + ".ipynb"] = text.encode()

    def announce(self) -> list[Announced]:
        return [Announced(path, digest(data), len(data)) for path, data in self.contents.items()]

    def fetch(self, file: Announced) -> bytes:
        self.fetched.append(file.path)
        return self.contents[file.path]


class Learner:
    """A home, and the learner in it."""

    def __init__(self, home: Path, publisher: Publisher) -> None:
        self.home, self.publisher = home, publisher

    def open_module(self, now: datetime = NOW) -> Delivery:
        return files.deliver(self.home, BASE, self.publisher.announce(), self.publisher.fetch, now=now)

    def restore(self, path: str) -> str | None:
        file = next(file for file in self.publisher.announce() if file.path == path)
        return files.restore(self.home, BASE, file, self.publisher.contents[path], now=NOW)

    def path(self, name: str = "exercices.ipynb") -> Path:
        return self.home / BASE / name

    def read(self, name: str = "exercices.ipynb") -> str:
        return self.path(name).read_text()

    def write(self, text: str, name: str = "exercices.ipynb") -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.home / BASE).iterdir())


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(exercices="v1")


@pytest.fixture
def alice(tmp_path: Path, publisher: Publisher) -> Learner:
    home = tmp_path / "home"
    home.mkdir()
    return Learner(home, publisher)


def test_case_01_absent_file_is_written(alice: Learner) -> None:
    assert alice.open_module().written == ["exercices.ipynb"]
    assert alice.read() == "v1"


def test_case_01_in_a_folder_that_does_not_exist_yet(alice: Learner, publisher: Publisher) -> None:
    publisher.publish(data__mesures="10")
    alice.open_module()
    assert alice.read("data/mesures.ipynb") == "10"


def test_case_02_same_bytes_are_left_alone(alice: Learner, publisher: Publisher) -> None:
    alice.write("v1")
    before = alice.path().stat().st_ino
    delivery = alice.open_module()
    assert (delivery.written, delivery.updated, delivery.beside) == ([], [], [])
    assert alice.path().stat().st_ino == before
    publisher.publish(exercices="v2")
    assert alice.open_module().updated == ["exercices.ipynb"], "the file counts as delivered"


def test_case_03_untouched_file_follows_our_version(alice: Learner, publisher: Publisher) -> None:
    alice.open_module()
    publisher.publish(exercices="v2")
    assert alice.open_module().updated == ["exercices.ipynb"]
    assert alice.read() == "v2"
    assert alice.names() == ["exercices.ipynb"]


def test_case_04_their_work_is_kept(alice: Learner, publisher: Publisher) -> None:
    alice.open_module()
    alice.write("mon travail")
    publisher.fetched.clear()
    assert alice.open_module().kept == ["exercices.ipynb"]
    assert alice.read() == "mon travail"
    assert publisher.fetched == [], "nothing is downloaded for nothing"


def test_case_05_both_changed_ours_goes_beside_once(alice: Learner, publisher: Publisher) -> None:
    alice.open_module()
    alice.write("mon travail")
    publisher.publish(exercices="v2")
    assert alice.open_module().beside == ["exercices (version du 24-11-2026).ipynb"]
    assert alice.read() == "mon travail"
    assert alice.read("exercices (version du 24-11-2026).ipynb") == "v2"
    assert alice.open_module().beside == [], "the same version is put beside once"
    publisher.publish(exercices="v3")
    assert alice.open_module().beside == ["exercices (version du 24-11-2026 2).ipynb"]
    assert alice.read("exercices (version du 24-11-2026).ipynb") == "v2"
    assert alice.read() == "mon travail"


def test_case_06_a_file_of_theirs_in_our_place_is_kept(alice: Learner) -> None:
    alice.write("créé par moi")
    assert alice.open_module().beside == ["exercices (version du 24-11-2026).ipynb"]
    assert alice.read() == "créé par moi"


def test_case_07_deleted_file_stays_deleted(alice: Learner, publisher: Publisher) -> None:
    alice.open_module()
    alice.path().unlink()
    assert alice.open_module().deleted == ["exercices.ipynb"]
    publisher.publish(exercices="v2")
    assert alice.open_module().deleted == ["exercices.ipynb"]
    assert not alice.path().exists()


def test_case_08_restore_keeps_their_copy(alice: Learner) -> None:
    alice.open_module()
    alice.write("mon travail")
    copy = alice.restore("exercices.ipynb")
    assert copy == "exercices (ma copie du 24-11-2026 14h05).ipynb"
    assert alice.read(copy) == "mon travail"
    assert alice.read() == "v1"
    assert alice.restore("exercices.ipynb") is None, "restoring an original makes no copy"
    assert alice.names() == sorted([copy, "exercices.ipynb"])


def test_case_08_restore_brings_back_a_deleted_file(alice: Learner) -> None:
    alice.open_module()
    alice.path().unlink()
    assert alice.restore("exercices.ipynb") is None
    assert alice.read() == "v1"


def test_case_09_withdrawn_file_stays(alice: Learner, publisher: Publisher) -> None:
    publisher.publish(annexe="a")
    alice.open_module()
    del publisher.contents["annexe.ipynb"]
    alice.open_module()
    assert alice.read("annexe.ipynb") == "a"


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_case_10_a_link_or_folder_in_our_place_is_refused(alice: Learner, publisher: Publisher, kind: str) -> None:
    publisher.publish(annexe="a")
    outside = alice.home.parent / "outside"
    outside.write_text("précieux")
    alice.path().parent.mkdir(parents=True)
    match kind:
        case "link":
            alice.path().symlink_to(outside)
        case "dangling link":
            alice.path().symlink_to(alice.home.parent / "nulle-part")
        case "folder":
            alice.path().mkdir()
        case _:
            os.mkfifo(alice.path())
    delivery = alice.open_module()
    assert [problem.code for problem in delivery.problems] == ["place_prise"]
    assert "exercices.ipynb" in delivery.problems[0].message
    assert outside.read_text() == "précieux"
    assert not (alice.home.parent / "nulle-part").exists()
    assert alice.read("annexe.ipynb") == "a", "the other files are delivered"


@pytest.mark.parametrize("linked", ["s", "s/m1"])
def test_case_11_a_linked_folder_is_not_followed(alice: Learner, linked: str) -> None:
    outside = alice.home.parent / "outside"
    (outside / "m1").mkdir(parents=True)
    (alice.home / linked).parent.mkdir(parents=True, exist_ok=True)
    (alice.home / linked).symlink_to(outside)
    delivery = alice.open_module()
    assert [problem.code for problem in delivery.problems] == ["dossier_lien"]
    assert linked in delivery.problems[0].message
    assert sorted(path.name for path in outside.rglob("*")) == ["m1"]


def test_case_11_a_linked_state_folder_is_not_followed(alice: Learner) -> None:
    outside = alice.home.parent / "outside"
    outside.mkdir()
    (alice.home / ".pupitre").symlink_to(outside)
    with pytest.raises(DeliveryError) as refusal:
        alice.open_module()
    assert refusal.value.code == "etat_lien"
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "a//b",
        "",
        ".",
        "a\\b",
        "a\0b",
        "a\nb",
        ".jupyter/x.py",
        "a/.git/hooks/x",
        "x" * 201,
        "/".join("a" * 13),
    ],
)
def test_case_12_paths_that_leave_or_hide_are_refused(path: str) -> None:
    good = {"path": "bon.ipynb", "sha256": "0" * 64, "size": 1}
    with pytest.raises(DeliveryError) as refusal:
        parse_manifest([good, {"path": path, "sha256": "0" * 64, "size": 1}])
    assert refusal.value.code == "chemin_interdit"


def test_case_12_ordinary_french_names_are_accepted() -> None:
    assert split_path("données/été n° 1 (copie).csv") == ("données", "été n° 1 (copie).csv")


def test_case_13_interrupted_delivery_is_resumed(alice: Learner, publisher: Publisher) -> None:
    publisher.publish(annexe="a")

    def fetch(file: Announced) -> bytes:
        if file.path == "annexe.ipynb":
            raise DoorError("portail_absent", "…", 503)
        return publisher.fetch(file)

    with pytest.raises(DoorError):
        files.deliver(alice.home, BASE, publisher.announce(), fetch, now=NOW)
    assert alice.read() == "v1"
    assert alice.open_module().written == ["annexe.ipynb"]


def test_case_13_killed_between_file_and_record(alice: Learner, publisher: Publisher) -> None:
    alice.open_module()
    (alice.home / ".pupitre" / "delivered.json").unlink()
    (alice.home / BASE / ".pupitre-0123.tmp").write_text("à moitié")
    assert alice.open_module().beside == []
    assert alice.names() == ["exercices.ipynb"], "what the killed write left is removed"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}', '{"files": {"a": 1}, "beside": []}', "\xff"])
def test_case_13_unreadable_record_costs_no_work(alice: Learner, content: str) -> None:
    alice.open_module()
    alice.write("mon travail")
    (alice.home / ".pupitre" / "delivered.json").write_text(content, encoding="latin-1")
    alice.open_module()
    assert alice.read() == "mon travail"


def test_case_14_bytes_that_differ_from_the_announcement_are_refused(alice: Learner, publisher: Publisher) -> None:
    delivery = files.deliver(alice.home, BASE, publisher.announce(), lambda _: b"v9", now=NOW)
    assert [problem.code for problem in delivery.problems] == ["fichier_abime"]
    assert alice.names() == []


def test_case_15_full_disk_leaves_everything(
    alice: Learner, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.open_module()
    publisher.publish(exercices="v2")
    real = os.fsync

    def full(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name.startswith(".pupitre-"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    delivery = alice.open_module()
    assert [problem.code for problem in delivery.problems] == ["ecriture_impossible"]
    assert alice.read() == "v1"
    assert alice.names() == ["exercices.ipynb"]


def test_case_17_a_huge_file_of_theirs_is_kept(
    alice: Learner, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.open_module()
    monkeypatch.setattr(files, "FILE_LIMIT_BYTES", 10)
    alice.write("x" * 11)
    assert alice.open_module().kept == ["exercices.ipynb"]
    assert alice.read() == "x" * 11


def test_the_record_names_what_was_delivered(alice: Learner) -> None:
    alice.open_module()
    content = json.loads((alice.home / ".pupitre" / "delivered.json").read_text())
    assert content == {"files": {"s/m1/exercices.ipynb": digest(b"v1")}, "beside": {}}


def test_a_folder_swapped_for_a_link_during_a_write_is_not_followed(alice: Learner) -> None:
    """The kernel may rename things at any time: an open folder stays the one that was checked."""
    outside = alice.home.parent / "outside"
    outside.mkdir()
    (alice.home / "a").mkdir()
    with Folder.open(alice.home) as root, root.enter("a") as folder:
        (alice.home / "a").rename(alice.home / "b")
        (alice.home / "a").symlink_to(outside)
        folder.write("x", b"1")
    assert list(outside.iterdir()) == []
    assert (alice.home / "b" / "x").read_bytes() == b"1"
