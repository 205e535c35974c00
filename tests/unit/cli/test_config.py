"""gateway config shows and edits the file of gateways; what a person wrote into it stays."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

from gateway.backends.gateways import KnownGateway, read_gateways
from gateway.cli import main
from gateway.compare import files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the file, which is not there."""
    return tmp_path / "config" / "simulator-gateway" / "config.toml"


def typed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_gateway_is_added_shown_and_removed(file, capsys, monkeypatch):
    typed("secret\n", monkeypatch)
    assert main(["config", "add", "lab", "https://lab:8443", "--token", "-", "--ca", certifi.where(), "--default"]) == 0
    assert read_gateways().find("lab") == KnownGateway(url="https://lab:8443", token="secret", ca=certifi.where())  # noqa: S106
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert main(["config", "add", "here", "localhost:8080"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["config"]) == 0
    shown = capsys.readouterr().out
    assert "secret" not in shown
    rows = [line.split() for line in shown.splitlines()]
    assert rows[1] == ["lab", "https://lab:8443", "yes", certifi.where(), "yes"]
    assert rows[2] == ["here", "http://localhost:8080", "\N{EN DASH}"]
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "lab", "url": "https://lab:8443", "token": True, "ca": certifi.where(), "default": True},
        {"name": "here", "url": "http://localhost:8080", "token": False, "ca": "", "default": False},
    ]
    assert main(["config", "remove", "lab"]) == 0
    assert list(read_gateways().gateways) == ["here"]
    assert read_gateways().default == ""
    assert main(["config", "default", "here"]) == 0
    assert read_gateways().default == "here"


def test_without_any_it_is_said_how_to_add_one(file, capsys):
    assert main(["config"]) == 0
    assert "gateway config add NAME URL adds one" in capsys.readouterr().out
    assert main(["config", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"
    assert main(["config", "path"]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert not file.exists()


def test_that_a_variable_counts_instead_is_said(capsys, monkeypatch):
    monkeypatch.setenv("GATEWAY_URL", "http://lab:8080")
    assert main(["config"]) == 0
    assert "GATEWAY_URL is set: http://lab:8080 is used where none is named" in capsys.readouterr().err


def test_comments_and_order_stay(file):
    file.parent.mkdir(parents=True)
    file.write_text('# ours\ndefault = "b" # for now\n\n[gateways.b] # the big one\nurl = "http://b"\n')
    file.chmod(0o600)
    assert main(["config", "add", "a", "http://a"]) == 0
    assert main(["config", "default", "a"]) == 0
    assert file.read_text() == (
        '# ours\ndefault = "a" # for now\n\n[gateways.b] # the big one\nurl = "http://b"\n\n'
        '[gateways.a]\nurl = "http://a"\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        'gateways.b.url = "http://b"\n',
        'gateways = {b = {url = "http://b"}}\n',
        'gateways.b = {url = "http://b"}\n\n[gateways.c]\nurl = "http://c"\n',
    ],
)
def test_a_file_that_is_written_in_another_way_is_edited_too(text, file):
    file.parent.mkdir(parents=True)
    file.write_text(text)
    file.chmod(0o600)
    if text.endswith('c"\n'):
        assert main(["config", "remove", "c"]) == 0
    assert main(["config", "add", "a", "http://a", "--default"]) == 0
    assert list(read_gateways().gateways) == ["b", "a"]
    assert main(["config", "remove", "b"]) == 0
    assert list(read_gateways().gateways) == ["a"]
    assert main(["config", "remove", "a"]) == 0
    assert read_gateways().gateways == {}
    assert main(["config", "add", "a", "http://a"]) == 0
    assert list(read_gateways().gateways) == ["a"]


def test_a_token_in_a_file_is_taken(tmp_path, file):
    secret = tmp_path / "token"
    secret.write_text("secret\n")
    file.parent.mkdir(parents=True)
    file.write_text('[gateways.b]\nurl = "http://b"\n')
    file.chmod(0o644)
    assert main(["config", "add", "a", "https://a", "--token-file", str(secret)]) == 0
    assert read_gateways().find("a").token == secret.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "typing", "message", "status"),
    [
        (["add", "lab", "https://lab", "--token", "secret"], "", "other users can see a command line: --token -", 2),
        (["add", "lab", "https://lab", "--token", "-"], "\n", "the token of standard input is empty", 1),
        (["add", "lab", "https://lab", "--token", "-"], "secrét\n", "has characters that no header can hold", 1),
        (["add", "lab", "https://lab", "--token-file", "/none"], "", "/none: No such file", 1),
        (["add", "l b", "https://lab"], "", "a name has 1 to 64 letters", 1),
        (["add", "lab", "ftp://lab"], "", "servers speak http or https, not ftp", 1),
        (["add", "lab", "https://lab", "--ca", "/none"], "", "there are no certificates to trust in /none", 1),
        (["add", "old", "https://lab"], "", "old is there already, and is http://old: gateway config remove old", 2),
        (["remove", "odl"], "", "there is no gateway 'odl': did you mean 'old'", 1),
        (["default", "lab"], "", "there is no gateway 'lab'", 1),
        (["ad", "lab"], "", "invalid choice: 'ad'", 2),
        (["add", "lab"], "", "the following arguments are required: URL", 2),
    ],
)
def test_what_is_wrong_changes_nothing(words, typing, message, status, file, capsys, monkeypatch):
    assert main(["config", "add", "old", "http://old"]) == 0
    before = file.read_bytes()
    typed(typing, monkeypatch)
    assert main(["config", *words]) == status
    shown = capsys.readouterr()
    assert message in shown.err
    assert "secr" not in shown.err
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_broken_file_is_said_with_its_line_and_kept(file, capsys):
    file.parent.mkdir(parents=True)
    file.write_text("default = \n")
    file.chmod(0o600)
    for words in (["add", "a", "http://a"], []):
        assert main(["config", *words]) == 1
        assert f"{file} is no TOML: Invalid value (at line 1, column 11)" in capsys.readouterr().err
    assert file.read_text() == "default = \n"


def test_a_token_without_https_is_remarked_on(capsys, monkeypatch):
    for url, is_remarked in (("http://lab:80", True), ("http://127.0.0.1:80", False), ("https://lab", False)):
        typed("secret\n", monkeypatch)
        assert main(["config", "add", f"n{len(url)}", url, "--token", "-"]) == 0
        assert ("whoever listens in between reads the token" in capsys.readouterr().err) is is_remarked


def test_a_full_disk_leaves_the_file_as_it_was(file, capsys, monkeypatch):
    assert main(["config", "add", "old", "http://old"]) == 0
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(files, "_replace", full)
    assert main(["config", "add", "new", "http://new"]) == 1
    assert f"{file}: No space left on device" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_link_to_the_file_stays_one(file, tmp_path):
    file.parent.mkdir(parents=True)
    real = tmp_path / "dotfiles.toml"
    real.touch(0o600)
    file.symlink_to(real)
    assert main(["config", "add", "lab", "http://lab"]) == 0
    assert file.is_symlink()
    assert "http://lab" in real.read_text()


def test_gateways_that_are_added_at_the_same_time_are_all_there(tmp_path):
    programs = [
        subprocess.Popen([sys.executable, "-m", "gateway", "config", "add", f"g{k}", f"http://g{k}"]) for k in range(8)
    ]
    assert [program.wait(60) for program in programs] == [0] * 8
    assert sorted(read_gateways().gateways) == [f"g{k}" for k in range(8)]
