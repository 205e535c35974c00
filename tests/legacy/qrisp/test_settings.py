"""The settings of the interface for old Qrisp clients come from the sources of all others, and are checked alike."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli import settings as sources
from gateway.cli.arguments import UsageError
from gateway.cli.serve import add_arguments
from gateway.settings import Settings

SWITCHES = {"false": False, "no": False, "OFF": False, "0": False, "true": True, "Yes": True, "on": True, "1": True}


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GATEWAY_QUNICORN", raising=False)


def load(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return sources.load(parser.parse_args(words), Settings)


def written(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_sets_them(tmp_path: Path):
    settings = load("--settings", written(tmp_path, "[interfaces.qrisp]\nqunicorn = true\n"))
    assert settings.interfaces == {"qrisp": {"qunicorn": True}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[interfaces.qrisp]\nx = 1\n", "interfaces.qrisp has no field 'x': known are thrift_port, qunicorn"),
        ("[interfaces]\nqrips = {}\n", "there is no interface 'qrips' for older clients: did you mean 'qrisp'?"),
        ("[interfaces]\nqrisp = 1\n", "interfaces.qrisp must be an object with the fields of QrispSettings, not 1"),
        ("[interfaces.qrisp]\nqunicorn = 1\n", "interfaces.qrisp.qunicorn must be true or false, not 1"),
    ],
)
def test_what_they_cannot_mean_is_refused_with_the_name_of_the_file(text: str, sentence: str, tmp_path: Path):
    file = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load("--settings", file)
    assert str(caught.value).startswith(f"{file}: {sentence}")


def test_a_port_is_refused_by_its_flag(capsys):
    with pytest.raises(UsageError, match=r"^--thrift-port must be an integer from 0 to 65535, not 99999$"):
        load("--thrift-port", "99999")
    assert main(["serve", "--thrift-port", "x"]) == 2
    assert capsys.readouterr().err == (
        "gateway serve: --thrift-port must be an integer, not 'x'; see gateway serve --help\n"
    )


@pytest.mark.parametrize("text", SWITCHES)
def test_a_switch_is_read_as_every_switch_is(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_QUNICORN", text)
    assert load().interfaces == {"qrisp": {"qunicorn": SWITCHES[text]}}


def test_a_switch_that_is_off_in_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_QUNICORN", "false")
    settings = load("--settings", written(tmp_path, "[interfaces.qrisp]\nqunicorn = true\n"))
    assert settings.interfaces == {"qrisp": {"qunicorn": False}}


def test_a_word_that_is_no_switch_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_QUNICORN", "perhaps")
    with pytest.raises(UsageError, match="GATEWAY_QUNICORN must be true or false, not the text 'perhaps'"):
        load()
