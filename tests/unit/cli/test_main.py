"""At the edge of the command every failure becomes a sentence and a status, and none is lost."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.terminals import pseudo_terminal
from support.waiting import wait_until

from gateway.cli import commands, main
from gateway.cli.commands import COMMANDS

A_SIZE = "a number of bytes or a size such as 512m or 2g"
A_DURATION = "a number of seconds or a duration such as 90s, 10m or 2h"
GATEWAY = f"{sys.executable} -m gateway.cli"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_without_a_command_all_commands_are_shown(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS.values():
        assert f"{command.name} " in shown
        assert command.summary in shown


@pytest.mark.parametrize(("word", "hint"), [("lst", "did you mean 'list'? "), ("xyzzy", "")])
def test_an_unknown_command_is_named_with_the_closest_one_and_those_there_are(word: str, hint: str, capsys):
    assert main([word]) == 2
    assert capsys.readouterr().err == (
        f"gateway: there is no command {word!r}: {hint}There are {', '.join(COMMANDS)}; "
        "'gateway --help' says what they do\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_of_its_own(name: str, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: gateway {name} ")


@pytest.mark.parametrize("command", ["gateway", "gateway.cli"])
def test_the_command_is_a_module_too(command: str):
    done = subprocess.run([sys.executable, "-m", command, "frobnicate"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[:35]) == (2, "gateway: there is no command 'frobn")


@pytest.mark.parametrize("command", ["list", "--help", "--version", ""])
def test_a_reader_that_has_gone_is_no_error(command: str):
    done = shell(f"{GATEWAY} {command} | true")
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["list", "--help", ""])
def test_a_full_disk_is_reported_and_not_only_at_exit(command: str):
    done = shell(f"{GATEWAY} {command} > /dev/full")
    assert (done.returncode, done.stderr) == (1, "gateway: standard output: No space left on device\n")


@pytest.mark.parametrize("command", ["--help", "--version", "serve --help"])
def test_a_help_that_cannot_be_written_fails_even_where_output_is_not_buffered(command: str):
    done = shell(f"{GATEWAY} {command} > /dev/full", PYTHONUNBUFFERED="1")
    assert (done.returncode, done.stderr) == (1, "gateway: standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("serve --port abc", "gateway serve: --port must be an integer, not 'abc'; see gateway serve --help"),
        (
            "serve --memory 2gg",
            f"gateway serve: --memory must be {A_SIZE}, not '2gg'; see gateway serve --help",
        ),
        (
            "serve --idle nan",
            f"gateway serve: --idle must be {A_DURATION}, not 'nan'; see gateway serve --help",
        ),
        ("up --cpus many", "gateway up: --cpus must be a number, not 'many'; see gateway up --help"),
        ("serve --prot 1", "gateway serve: there is no argument '--prot'; see gateway serve --help"),
        ("run", "gateway run: the following arguments are required: FILE; see gateway run --help"),
        ("run x.qasm", "gateway run: --on names a simulator, or --at the URL of one; see gateway run --help"),
        ("logs qulacs -n x", "gateway logs: -n must be an integer, not 'x'; see gateway logs --help"),
        ("serve qulacs qulacs", "gateway: qulacs is named twice: one server for each simulator is enough"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(command: str, sentence: str, capsys):
    assert main(command.split()) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


def test_output_that_is_closed_is_reported():
    done = shell(f"{GATEWAY} list >&-")
    assert (done.returncode, done.stderr) == (1, "gateway: standard output: Bad file descriptor\n")


def test_a_failure_that_nobody_can_read_still_has_its_status_and_does_not_become_output():
    done = shell(f"{GATEWAY} frobnicate 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_terminal_that_lacks_a_character_shows_another():
    done = shell(f"{GATEWAY} list", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "?" not in done.stdout
    assert "o down" in done.stdout


def test_a_terminal_of_the_system_is_used_in_its_width_with_its_colours():
    environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color"}
    with pseudo_terminal(columns=60) as terminal:
        for command in ("list", "frobnicate"):
            subprocess.run(
                [sys.executable, "-m", "gateway.cli", command],
                stdin=subprocess.DEVNULL, stdout=terminal.stream, stderr=terminal.stream, env=environment, check=False,
            )  # fmt: skip
        wait_until(lambda: "--help" in terminal.output, lambda: terminal.output)
    assert "\x1b[2msimulator" in terminal.output
    assert "\x1b[31m!\x1b[0m \x1b[1mthere is no command 'frobnicate':\x1b[0m" in terminal.output
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.output)
    assert max(map(len, plain.splitlines())) <= 60


@pytest.mark.parametrize(
    ("raised", "status", "sentence"),
    [
        (OSError(13, "Permission denied", "/x"), 1, "/x: Permission denied"),
        (OSError("no number"), 1, "no number"),
        (MemoryError(), 1, "memory ran out"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            1,
            "a text cannot be read or written: 'utf-8'",
        ),
    ],
)
def test_what_python_raises_becomes_a_sentence(raised, status, sentence, monkeypatch, capsys):
    def fail(_arguments: object) -> int:
        raise raised

    monkeypatch.setitem(COMMANDS, "list", COMMANDS["list"]._replace(run=fail))
    assert main(["list"]) == status
    assert capsys.readouterr().err.startswith(f"gateway: {sentence}")


def test_a_mistake_of_ours_is_shown_as_one(monkeypatch):
    monkeypatch.setitem(COMMANDS, "list", COMMANDS["list"]._replace(run=lambda _: 1 // 0))
    with pytest.raises(ZeroDivisionError):
        main(["list"])


# ---------------------------------------------------------------------- tokens


def test_a_token_is_printed_once_and_its_digest_added_to_a_file_of_the_owners(tmp_path: Path, capsys):
    file = tmp_path / "tokens"
    file.write_text("# without an end of line", encoding="utf-8")
    for name in ("ada", "bob"):
        assert main(["token", name, "--file", str(file)]) == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [line.partition(" sha256:")[0] for line in lines] == ["# without an end of line", "ada", "bob"]
    assert len(set(capsys.readouterr().out.split())) == 2


def test_a_new_file_of_tokens_is_for_its_owner_only(tmp_path: Path):
    assert main(["token", "ada", "--file", str(tmp_path / "tokens")]) == 0
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("/no/such/dir/tokens", "gateway: /no/such/dir/tokens: No such file or directory\n"),
        ("/", "gateway: /: Is a directory\n"),
        ("/dev/full", "gateway: /dev/full: No space left on device\n"),
    ],
)
def test_a_token_whose_digest_cannot_be_kept_is_not_given(file: str, sentence: str, capsys):
    assert main(["token", "bob", "--file", file]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", sentence)


def test_a_line_that_does_not_fit_on_the_disk_leaves_the_file_of_tokens_as_it_was(tmp_path: Path):
    file = tmp_path / "tokens"
    file.write_text("x" * 1000, encoding="utf-8")
    no_byte_code = "export PYTHONDONTWRITEBYTECODE=1"  # that would be cut off as well, and be found by the next
    limited = f"trap '' XFSZ; ulimit -f 1; {no_byte_code}; {GATEWAY} token bob --file {file}"
    done = shell(limited)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr in {f"gateway: {file}: File too large\n", f"gateway: {file}: No space left on device\n"}
    assert file.read_text(encoding="utf-8") == "x" * 1000


def test_the_default_of_shots_is_that_of_a_request():
    from gateway.protocol.messages import DEFAULT_SHOTS  # noqa: PLC0415 - the commands must not load it

    assert commands.DEFAULT_SHOTS == DEFAULT_SHOTS
