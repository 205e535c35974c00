"""The account of claimed memory, with processes of its own that hold claims and are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.claims import ACCOUNT, Account
from gateway.errors import BusyError
from tests.support.raw import wait_until

MIB = 2**20

HOLDER = """
import sys, time
from pathlib import Path
from gateway.claims import Account
account = Account(Path(sys.argv[1]))
account.claim(int(sys.argv[2]), lambda: 10**12, 0, "outcomes")
if sys.argv[3] == "fills":
    kept = bytearray(b"x") * int(sys.argv[2])
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runtime"


@pytest.fixture
def holder(folder):
    """Return a function that starts a process with a claim."""
    started = []

    def start(size: int, *, fills: bool = False) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(folder), str(size), "fills" if fills else "waits"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "claimed\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_another_process_claims_is_not_free(folder, holder):
    holder(300 * MIB)
    account = Account(folder)
    with pytest.raises(BusyError, match="other runs on this machine hold the memory"):
        account.claim(200 * MIB, lambda: 400 * MIB, 0)
    account.release(account.claim(100 * MIB, lambda: 400 * MIB, 0))


def test_the_claim_of_a_killed_process_vanishes_by_itself(folder, holder):
    process = holder(300 * MIB)
    account = Account(folder)
    claims = []
    waiting = threading.Thread(target=lambda: claims.append(account.claim(200 * MIB, lambda: 400 * MIB, 60)))
    waiting.start()
    process.send_signal(signal.SIGKILL)
    waiting.join()
    assert claims
    assert account.part_of(process.pid) == "outcomes"  # what it was killed with can still be told
    for claim in [*claims, *(account.claim(9 * MIB, lambda: 400 * MIB, 0) for _ in range(3))]:
        account.release(claim)
    assert account.part_of(process.pid) == "outcomes"  # others have places of their own


def test_what_a_run_has_allocated_is_not_subtracted_twice(folder, holder):
    holder(200 * MIB, fills=True)
    account = Account(folder)
    # Of 500 MiB, the system has 300 free: the other 200 are those that the claim was for.
    account.release(account.claim(250 * MIB, lambda: 300 * MIB, 0))
    assert 180 * MIB < account.grown() <= 200 * MIB


def test_claims_wait_in_the_order_in_which_they_came(folder):
    account = Account(folder)
    held = account.claim(300 * MIB, lambda: 400 * MIB, 0)
    ended = []

    def claim(name, size):
        mine = account.claim(size, lambda: 400 * MIB, 60)
        ended.append(name)
        account.release(mine)

    first = threading.Thread(target=claim, args=("large", 350 * MIB))
    first.start()
    wait_until(lambda: any(each.waits for each in account._claims), "the first one waits")
    second = threading.Thread(target=claim, args=("small", 50 * MIB))  # it would fit beside the one that holds
    second.start()
    wait_until(lambda: sum(each.waits for each in account._claims) == 2, "both wait")
    account.release(held)
    first.join()
    second.join()
    assert ended == ["large", "small"]


def test_a_claim_that_grows_does_not_wait_for_others(folder, holder):
    holder(300 * MIB)
    account = Account(folder)
    mine = account.claim(50 * MIB, lambda: 400 * MIB, 0)
    with pytest.raises(BusyError):
        account.grow(mine, 200 * MIB, lambda: 400 * MIB)
    account.grow(mine, 90 * MIB, lambda: 400 * MIB)
    assert mine.size == 90 * MIB


@pytest.mark.parametrize("content", [b"", b"\0" * 10, b"\xff" * 5_000, b"claim 1\n" * 600])
def test_a_broken_file_counts_for_nothing(folder, content):
    folder.mkdir(mode=0o700)
    (folder / "claims").write_bytes(content)
    account = Account(folder)
    account.release(account.claim(100 * MIB, lambda: 200 * MIB, 0))
    assert account.grown() == 0


def make_open_folder(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def make_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    folder.symlink_to(folder.parent / "elsewhere")


def make_file(folder: Path) -> None:
    folder.write_text("no folder")


def make_pipe(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.mkfifo(folder / "claims")


def make_linked_file(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "claims").symlink_to(folder.parent / "target")


@pytest.mark.parametrize("make", [make_open_folder, make_link, make_file, make_pipe, make_linked_file])
def test_a_place_that_is_not_only_ours_is_not_used_and_runs_go_on(folder, make, caplog):
    make(folder)
    account = Account(folder)
    first = account.claim(100 * MIB, lambda: 150 * MIB, 0)
    with pytest.raises(BusyError):  # the claims of this process still count
        account.claim(100 * MIB, lambda: 150 * MIB, 0)
    account.release(first)
    assert caplog.text.count("the account of claimed memory cannot be used") == 1
    assert not (folder.parent / "target").exists()


def test_a_process_that_never_leaves_the_account_stops_nobody(folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.claims._TURN_WITHIN_S", 0.05)
    with _kept_from_others(folder):
        account = Account(folder)
        account.release(account.claim(100 * MIB, lambda: 200 * MIB, 0))


def test_what_was_claimed_before_the_account_was_given_up_is_held_against_nobody(
    folder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateway.claims._TURN_WITHIN_S", 0.05)
    account = Account(folder)
    mine = account.claim(100 * MIB, lambda: 200 * MIB, 0)
    with _kept_from_others(folder):
        account.grow(mine, 150 * MIB, lambda: 200 * MIB)
    account.release(mine)
    assert _can_claim(folder, 150 * MIB)


def test_an_account_that_was_given_up_is_used_again_after_a_while(folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.claims._TURN_WITHIN_S", 0.05)
    monkeypatch.setattr("gateway.claims._TRIES_AGAIN_S", 0.0)
    account = Account(folder)
    with _kept_from_others(folder):
        mine = account.claim(50 * MIB, lambda: 200 * MIB, 0)
    another = account.claim(60 * MIB, lambda: 200 * MIB, 0)
    assert not _can_claim(folder, 150 * MIB)
    account.release(another)
    assert not _can_claim(folder, 190 * MIB), "what was claimed meanwhile counts as well"
    account.release(mine)
    assert _can_claim(folder, 190 * MIB)


def test_a_record_that_could_not_be_written_counts_for_nothing(folder, holder, monkeypatch: pytest.MonkeyPatch):
    killed = holder(150 * MIB)
    killed.kill()  # its record remains, without a lock
    killed.wait()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    account = Account(folder)
    with monkeypatch.context() as patch:
        patch.setattr("gateway.claims.os.pwrite", fail)
        mine = account.claim(10 * MIB, lambda: 200 * MIB, 0)
    assert _can_claim(folder, 150 * MIB)
    account.release(mine)


@contextlib.contextmanager
def _kept_from_others(folder: Path) -> Iterator[None]:
    """Have another process stay in the account for as long as the block lasts."""
    program = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX, 1, 0);"
        "print('held', flush=True); sys.stdin.read()"
    )
    Account(folder).grown()  # makes the file
    command = [sys.executable, "-c", program, str(folder / "claims")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()


def _can_claim(folder: Path, size: int) -> bool:
    """Return whether another process can claim so much of 200 MiB."""
    program = (
        "import sys; from pathlib import Path; from gateway.claims import Account;"
        "Account(Path(sys.argv[1])).claim(int(sys.argv[2]), lambda: 200 * 2**20, 0)"
    )
    command = [sys.executable, "-c", program, str(folder), str(size)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_file_that_was_removed_is_made_anew(folder, holder):
    account = Account(folder)
    account.release(account.claim(1, lambda: 200 * MIB, 0))
    (folder / "claims").unlink()
    holder(150 * MIB)
    with pytest.raises(BusyError):
        account.claim(100 * MIB, lambda: 200 * MIB, 0)


def test_a_child_has_no_claim_of_its_parent_and_does_not_end_it(folder, holder):
    account = Account(folder)
    mine = account.claim(100 * MIB, lambda: 200 * MIB, 0)
    child = os.fork()
    if child == 0:
        account.release(mine)
        other = Account(folder)
        try:
            other.claim(150 * MIB, lambda: 200 * MIB, 0)
        except BusyError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_thousand_claims_at_once_leave_an_empty_account(folder):
    account = Account(folder)

    def many():
        for _ in range(50):
            account.release(account.claim(MIB, lambda: 10 * MIB, 60))

    threads = [threading.Thread(target=many) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account._claims == []
    assert not any((folder / "claims").read_bytes())


def test_the_account_of_the_machine_takes_claims():
    claim = ACCOUNT.claim(MIB, lambda: 10**15, 60)
    ACCOUNT.release(claim)
    assert claim not in ACCOUNT._claims
