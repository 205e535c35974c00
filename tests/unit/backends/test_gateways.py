"""The file of gateways is read strictly, and only if nobody else could have written it or can read its tokens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.backends.gateways import MAX_BYTES, KnownGateway, check_name, config_path, read_gateways
from gateway.errors import RequestError

FILE = b"""
default = "lab" # ours

[gateways.lab]
url = "https://lab:8443/quantum"
token = "abc"
ca = "/etc/lab.pem"

[gateways.here]
url = "127.0.0.1:8080"
"""


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def test_the_gateways_of_the_file_are_read(config):
    write(config, FILE)
    found = read_gateways()
    assert found.default == "lab"
    assert list(found.gateways) == ["lab", "here"]
    assert found.find("lab") == KnownGateway(url="https://lab:8443/quantum", token="abc", ca="/etc/lab.pem")  # noqa: S106
    assert found.find("here").address.url == "http://127.0.0.1:8080"


def test_without_a_file_or_its_folder_there_are_none(config):
    assert read_gateways().gateways == {}
    config.parent.rmdir()
    assert read_gateways().gateways == {}
    config.parent.write_text("no folder")
    assert read_gateways().gateways == {}


def test_a_user_without_a_home_folder_has_none_and_is_told_so_where_one_is_needed(monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME")

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert read_gateways().gateways == {}
    with pytest.raises(RequestError, match="this user has no home folder: set XDG_CONFIG_HOME"):
        config_path()


def test_the_folder_is_that_of_the_user_unless_a_variable_names_another(monkeypatch, tmp_path):
    assert config_path() == tmp_path / "config" / "simulator-gateway" / "config.toml"
    monkeypatch.setenv("HOME", "/home/ada")
    for value in ("", "relative/paths/do/not/count"):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert config_path() == Path("/home/ada/.config/simulator-gateway/config.toml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'default = "lab"\n[gateways.lab\n', r"is no TOML: .*line 2"),
        (b"\xff", "is no text: byte 0 is not UTF-8"),
        (
            b'[gateways.lab]\nurl = "https://lab"\ntokn = "a"',
            r"in \[gateways\.lab\], the table has no field 'tokn': did you mean 'token'",
        ),
        (b'[gateways.lab]\ntoken = "a"', "the table lacks the field 'url'"),
        (b"[gateways.lab]\nurl = 7", r"in \[gateways.lab\], url must be text that is not empty, not 7"),
        (b"[gateways]\nlab = 7", r"gateways\[...\] must be an object"),
        (b'[gateways.lab]\nurl = "ftp://lab"', "servers speak http or https, not ftp"),
        (b'default = "lap"\n[gateways.lab]\nurl = "http://lab"', "there is no gateway 'lap': did you mean 'lab'"),
        (b'[gateways."a b"]\nurl = "http://lab"', "a name has 1 to 64 letters"),
        (
            b'[gateways.lab]\nurl = "http://lab"\ntoken = "a\\nb"',
            "the token in the table has characters that no header can",
        ),
        (b'[gatways.lab]\nurl = "http://lab"', "the file has no field 'gatways': did you mean 'gateways'"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(content, message, config):
    write(config, content)
    with pytest.raises(RequestError, match=message) as caught:
        read_gateways()
    assert caught.value.message.startswith(str(config))


def test_a_token_of_a_wrong_type_is_not_quoted(config):
    write(config, b'[gateways.lab]\nurl = "http://lab"\ntoken = 123456')
    with pytest.raises(RequestError, match=r"in \[gateways.lab\], token must be text$"):
        read_gateways()


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (FILE, 0o640, "other users can read the tokens in .*its mode is 0640.*: chmod 600 "),
        (FILE, 0o604, "other users can read the tokens in"),
        (FILE, 0o620, "other users can write .*: chmod 600 "),
        (b"", 0o602, "other users can write"),
    ],
)
def test_a_file_that_others_can_write_or_whose_tokens_they_can_read_is_refused(content, mode, message, config):
    write(config, content, mode)
    with pytest.raises(RequestError, match=message):
        read_gateways()


def test_a_file_without_tokens_may_be_read_by_others(config):
    write(config, b'[gateways.lab]\nurl = "http://lab"\n', 0o644)
    assert list(read_gateways().gateways) == ["lab"]


def test_a_file_of_another_user_is_refused(config, monkeypatch):
    write(config, FILE)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    if config.stat().st_uid == 0:  # which is trusted like oneself
        os.chown(config, 54321, -1)
    with pytest.raises(RequestError, match="belongs to another user"):
        read_gateways()


def test_what_is_no_file_is_refused_without_waiting(config):
    os.mkfifo(config)
    with pytest.raises(RequestError, match="is no file of at most"):
        read_gateways()
    config.unlink()
    write(config, b"#" * (MAX_BYTES + 1))
    with pytest.raises(RequestError, match="is no file of at most 1,048,576 bytes"):
        read_gateways()
    config.unlink()
    config.mkdir()
    with pytest.raises(RequestError, match="is no file of at most"):
        read_gateways()


@pytest.mark.parametrize("name", ["lab", "lab-2.example", "_", "A" * 64])
def test_names_of_gateways(name):
    check_name(name)


@pytest.mark.parametrize("name", ["", ".", "-x", "a b", "a:b", "a/b", "ä", "A" * 65, "a\n"])
def test_what_is_no_name_of_a_gateway_is_refused(name):
    with pytest.raises(RequestError, match="a name has 1 to 64 letters"):
        check_name(name)


WITHOUT = """
import os, sys

for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
import requests, ssl, subprocess, tempfile

for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "geteuid", "getuid", "fork", "killpg"):
    delattr(os, name)
from gateway.backends.client import BackendClient
from gateway.client.gateway_client import GatewayClient

print(BackendClient("lab", 8088), GatewayClient("lab"), GatewayClient("http://lab:8080"))
"""


def test_clients_need_nothing_of_the_system_that_windows_has_not(config):
    write(config, FILE.replace(b'ca = "/etc/lab.pem"\n', b""), 0o666)  # the mode that Windows says of each file
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert "GatewayClient('https://lab:8443/quantum')" in done.stdout
