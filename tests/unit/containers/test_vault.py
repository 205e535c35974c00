"""Tokens are this user's alone, and the vault knows who still uses a container."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.containers.owner import identity, is_dead
from gateway.containers.vault import Entry, Vault, digest, new_token
from gateway.errors import ContainerError, DiskFull


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path / "state")
    vault.prepare()
    return vault


def dead_process() -> str:
    code = "from gateway.containers.owner import identity; print(identity())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_living_process_is_told_from_a_dead_one():
    assert not is_dead(identity())
    assert not is_dead(identity() + "#3")
    assert is_dead(dead_process())
    assert is_dead(dead_process() + "#3")


def test_a_later_process_with_the_same_number_is_another():
    where, pid, _ = identity().split(":")

    assert is_dead(f"{where}:{pid}:1")


def test_a_process_of_another_machine_is_never_called_dead():
    assert not is_dead("another:1:1")
    assert not is_dead("")


def test_what_is_written_is_read(vault):
    entry = Entry("secret", keep=True, users=("a", "b"))

    vault.write("c1", entry)

    assert vault.read("c1") == entry
    assert vault.containers() == ["c1"]
    vault.forget("c1")
    assert vault.read("c1") is None


def test_nobody_else_can_read_a_token(vault):
    vault.write("c1", Entry("secret"))

    assert stat.S_IMODE((vault.folder / "c1.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(vault.folder.stat().st_mode) == 0o700


def test_tokens_differ_and_a_digest_does_not_hold_its_token():
    first, second = new_token(), new_token()

    assert first != second
    assert len(first) >= 43
    assert first not in digest(first)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"token": "x"}'])
def test_a_damaged_file_counts_as_none(vault, damage):
    (vault.folder / "c1.json").write_text(damage)

    assert vault.read("c1") is None


def test_the_last_user_out_is_known(vault):
    me = identity()
    vault.write("c1", Entry("secret", users=(f"{me}#1", dead_process())))
    vault.add_user("c1", f"{me}#2", keep=False)

    assert vault.drop_user("c1", f"{me}#1").in_use
    assert not vault.drop_user("c1", f"{me}#2").in_use


def test_keeping_a_container_stays_kept(vault):
    vault.write("c1", Entry("secret"))
    vault.add_user("c1", identity(), keep=True)
    vault.add_user("c1", identity(), keep=False)

    assert vault.read("c1").keep


def test_a_lock_is_held_by_one(vault):
    with vault.lock("qulacs") as mine, vault.lock("qulacs", wait=False) as second, vault.lock("cirq") as other:
        assert (mine, second, other) == (True, False, True)


def test_homes_of_other_folders_differ(tmp_path):
    assert Vault(tmp_path / "a").home != Vault(tmp_path / "b").home
    assert Vault(tmp_path / "a").home == Vault(tmp_path / "a").home


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ContainerError, match="GATEWAY_STATE_DIR names another folder"):
        Vault(tmp_path / "file" / "state").prepare()


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
def test_a_full_disk_is_said_and_leaves_no_half_file(vault, monkeypatch):
    real = os.open
    monkeypatch.setattr(os, "open", lambda _path, flags, mode=0o777: real("/dev/full", flags & ~os.O_EXCL))

    with pytest.raises(DiskFull, match="no space left for the tokens"):
        vault.write("c1", Entry("secret"))

    assert list(vault.folder.iterdir()) == []


def test_a_folder_of_tokens_that_is_none_is_said_in_every_use(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    vault = Vault(file)
    for use in (
        vault.prepare,
        lambda: vault.forget("x"),
        lambda: vault.write("x", Entry("t")),
        vault.lock("x").__enter__,
    ):
        with pytest.raises(ContainerError, match=f"the tokens of containers cannot be stored in {file} "):
            use()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    if sys.version_info < (3, 13):  # newer ones leave such a link as it is
        with pytest.raises(ContainerError, match=r"the folder of tokens cannot be found: .*: set GATEWAY_STATE_DIR to"):
            _ = Vault(loop).home


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("GATEWAY_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(ContainerError, match=r"this user has no home folder .*: set GATEWAY_STATE_DIR to a folder"):
        Vault()
