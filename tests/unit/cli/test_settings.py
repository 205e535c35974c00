"""Settings come from four sources, of which the right one wins, and are refused by their name there."""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from pathlib import Path

import pytest

from gateway.cli import open as opening
from gateway.cli import settings as sources
from gateway.cli.arguments import UsageError
from gateway.cli.serve import add_arguments
from gateway.errors import RequestError
from gateway.protocol.door import ComparisonLimits
from gateway.protocol.messages import ServerLimits
from gateway.resources import Resources
from gateway.settings import IN_MEMORY, INTERNAL, DoorSettings, Settings, all_settings, database_url


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch):
    for setting in all_settings():
        if setting.variable:
            monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def load(*words: str) -> Settings:
    return sources.load(parsed(*words), Settings)


def written(folder: Path, text: str, name: str = "settings.toml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


FILE = """
simulators = ["qulacs"]
port = 8000
jobs = "jobs.sqlite"
allowed_hosts = ["one.example", "two.example"]
anonymous = true
idle_s = "10m"

[resources]
threads = 2
memory = "2g"

[limits]
max_shots = 1000
keep_jobs_s = "7d"
worker_memory_bytes = "512m"
"""


def test_without_any_source_everything_is_as_documented():
    assert load() == Settings()
    assert (Settings().resources, Settings().limits) == (Resources(), ServerLimits())


def test_a_file_sets_everything_with_units_where_people_write_them(tmp_path: Path):
    assert load("--settings", written(tmp_path, FILE)) == Settings(
        simulators=("qulacs",),
        port=8000,
        jobs="jobs.sqlite",
        allowed_hosts=("one.example", "two.example"),
        anonymous=True,
        idle_s=600,
        resources=Resources(threads=2, memory=2**31),
        limits=ServerLimits(max_shots=1000, keep_jobs_s=7 * 86_400, worker_memory_bytes=2**29),
    )


def test_a_file_may_be_json(tmp_path: Path):
    text = json.dumps({"port": 8000, "resources": {"threads": 2}})
    found = load("--settings", written(tmp_path, text, "settings.json"))
    assert found == Settings(port=8000, resources=Resources(threads=2))


def test_standard_input_is_one_line_of_json_and_what_follows_is_left(monkeypatch: pytest.MonkeyPatch):
    stdin = io.TextIOWrapper(io.BytesIO(b'{"port": 8000}\nthe rest'))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert load("--settings", "-") == Settings(port=8000)
    assert stdin.buffer.read() == b"the rest"


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = written(tmp_path, "workers = 1\nhost = '::1'\njobs = 'file'\n[limits]\nmax_shots = 1\nmax_qubits = 2\n")
    monkeypatch.setenv("GATEWAY_WORKERS", "2")
    monkeypatch.setenv("GATEWAY_JOBS", "environment")
    monkeypatch.setenv("GATEWAY_LIMIT_MAX_SHOTS", "5")
    found = load("--settings", file, "--workers", "3", "--limit", "max_shots=6")
    assert (found.workers, found.jobs, found.host) == (3, "environment", "::1")
    assert (found.limits.max_shots, found.limits.max_qubits) == (6, 2)


def test_what_is_said_again_as_it_is_by_default_wins_too(tmp_path: Path):
    file = written(tmp_path, "host = '::1'\n[resources]\nthreads = 4\n")
    found = load("--settings", file, "--host", "127.0.0.1", "--threads", "1")
    assert (found.host, found.resources.threads) == ("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("words", "text", "durable"),
    [((), "", True), ((), "no", False), (("--durable",), "no", True), (("--no-durable",), "yes", False)],
)
def test_a_switch_that_is_on_by_default_is_turned_off(words, text, durable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_DURABLE", text)
    assert load(*words).durable is durable


def test_each_of_several_servers_is_told_what_is_turned_off():
    arguments = parsed("--no-durable", "--anonymous", "--host", "::1")
    assert sources.flags_for_each(arguments) == ["--host", "::1", "--no-durable", "--anonymous"]


MEMORY = ("67108864", 2**26)


@pytest.mark.parametrize("setting", [each for each in all_settings() if each.variable], ids=lambda each: each.name)
def test_every_variable_sets_its_setting(setting, monkeypatch: pytest.MonkeyPatch):
    text, value = {
        bool: ("yes", True), int: ("7", 7), float: ("7", 7.0), tuple[str, ...]: ("a, b", ("a", "b")), str: ("x", "x"),
    }[setting.kind]  # fmt: skip
    text, value = MEMORY if setting.name == "resources.memory" else (text, value)
    monkeypatch.setenv(setting.variable, text)
    found: object = load()
    for name in setting.path:
        found = getattr(found, name)
    assert found == value


@pytest.mark.parametrize("setting", [each for each in all_settings() if each.flag], ids=lambda each: each.name)
def test_every_flag_sets_its_setting_and_its_help_is_the_documentation(setting, capsys):
    text, value = {
        bool: (None, True), int: ("7", 7), float: ("7s", 7.0), tuple[str, ...]: ("a,b", ("a", "b")), str: ("x", "x"),
    }[setting.kind]  # fmt: skip
    text, value = MEMORY if setting.name == "resources.memory" else (text, value)
    found: object = load(setting.flag, *([] if text is None else [text]))
    for name in setting.path:
        found = getattr(found, name)
    assert found == value
    with pytest.raises(SystemExit):
        load("--help")
    assert " ".join(setting.description.split()) in " ".join(capsys.readouterr().out.replace("-\n", "-").split())


def test_every_setting_is_documented():
    assert all(setting.description for setting in all_settings())
    assert len({setting.flag for setting in all_settings()} - {""}) == sum(bool(each.flag) for each in all_settings())


def test_the_number_of_threads_many_machines_set_counts_where_ours_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert load().resources.threads == 3
    monkeypatch.setenv("GATEWAY_THREADS", "2")
    assert load().resources.threads == 2
    monkeypatch.delenv("GATEWAY_THREADS")
    assert load("--settings", written(tmp_path, "[resources]\nthreads = 4\n")).resources.threads == 4


def test_an_empty_variable_is_nothing(monkeypatch: pytest.MonkeyPatch):
    for name in ("GATEWAY_JOBS", "GATEWAY_ANONYMOUS", "GATEWAY_LIMIT_MAX_SHOTS", "GATEWAY_TOKEN_SHA256"):
        monkeypatch.setenv(name, "")
    assert load() == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", "{file} has no field 'prot': did you mean 'port'? Known are host, port, "),
        ("[limits]\nmax_shot = 1", "{file}: there is no limit named 'max_shot': did you mean 'max_shots'? Known are"),
        ("[resources]\nthread = 1", "{file}: resources has no field 'thread': did you mean 'threads'?"),
        ("port = 'many'", "{file}: port must be an integer from 0 to 65535, not the text 'many'"),
        ("port = 70000", "{file}: port must be an integer from 0 to 65535, not 70000"),
        ("workers = 0", "{file}: workers must be an integer from 1 to 1024, not 0"),
        ("[limits]\nmax_shots = '1000'", "{file}: limits.max_shots must be an integer of at least 1, not the text"),
        ("[limits]\nmax_shots = -1", "{file}: limits.max_shots must be an integer of at least 1, not -1"),
        ("limits = 3", "{file}: limits must be an object with the fields of ServerLimits, not 3"),
        ("idle_s = inf", "{file}: idle_s must be at most 1,000,000,000 seconds, not inf"),
        ("[limits]\ntimeout_s = inf", "{file}: limits.timeout_s must be at most 1,000,000,000 seconds, not inf"),
        ("drain_s = '99999999d'", "{file}: drain_s must be at most 1,000,000,000 seconds, not "),
        ("allowed_hosts = 'x'", "{file}: allowed_hosts must be a list of texts, not the text 'x'"),
        ("idle_s = 'soon'", "{file}: idle_s must be a number of seconds or a duration such as 90s, 10m or 2h, not"),
        (
            "[resources]\nmemory = 'much'",
            "{file}: resources.memory must be a number of bytes or a size such as 512m or 2g, not 'much'",
        ),
        ("port = ", "{file} is not TOML: "),
        ("\x00", "{file} is not TOML: "),
    ],
)
def test_what_a_file_cannot_mean_is_refused_by_file_and_name(text: str, sentence: str, tmp_path: Path):
    file = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load("--settings", file)
    assert sentence.format(file=file) in str(caught.value)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b""])
def test_what_is_no_json_object_is_refused_by_file(content: bytes, tmp_path: Path):
    file = tmp_path / "settings.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"settings.json is not a JSON object: "):
        load("--settings", str(file))


def test_a_file_without_an_end_is_refused():
    with pytest.raises(UsageError, match="/dev/zero has more than 1,048,576 bytes"):
        load("--settings", "/dev/zero")


@pytest.mark.parametrize(("name", "why"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(name: str, why: str, tmp_path: Path):
    with pytest.raises(UsageError, match=rf"cannot read the settings in .*: {why}"):
        load("--settings", str(tmp_path / name))


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("GATEWAY_WORKERS", "many", "GATEWAY_WORKERS must be an integer from 1 to 1024, not the text 'many'"),
        ("GATEWAY_WORKERS", "0", "GATEWAY_WORKERS must be an integer from 1 to 1024"),
        ("GATEWAY_IDLE_S", "soon", "GATEWAY_IDLE_S must be a number of seconds or a duration such as 90s, 10m or 2h"),
        ("GATEWAY_IDLE_S", "1" + "0" * 400, "GATEWAY_IDLE_S must be at most 1,000,000,000 seconds, not 1000"),
        ("GATEWAY_IDLE_S", "-1", "GATEWAY_IDLE_S must be a number above 0, not the text '-1'"),
        ("GATEWAY_ANONYMOUS", "perhaps", "GATEWAY_ANONYMOUS must be true or false, not the text 'perhaps'"),
        ("GATEWAY_THREADS", "0", "GATEWAY_THREADS must be an integer of at least 1"),
        ("GATEWAY_MEMORY_BYTES", "9" * 5000, "GATEWAY_MEMORY_BYTES must be a number of bytes or a size such as 512m"),
        ("GATEWAY_LIMIT_MAX_CONNECTIONS", "0", "GATEWAY_LIMIT_MAX_CONNECTIONS must be an integer of at least 1"),
        ("GATEWAY_LIMIT_TIMEOUT_S", "0", "GATEWAY_LIMIT_TIMEOUT_S must be a number of at least 0.001"),
        ("GATEWAY_MEMORY_BYTES", "much", "GATEWAY_MEMORY_BYTES must be a number of bytes or a size such as 512m or 2g"),
        ("GATEWAY_MEMORY_BYTES", "1", "GATEWAY_MEMORY_BYTES must be at least 64m, not 1"),
        ("GATEWAY_LIMIT_MAX_SHOTS", "1.5", "GATEWAY_LIMIT_MAX_SHOTS must be an integer of at least 1, not the text"),
        ("GATEWAY_LIMIT_MAX_SHOT", "1", "GATEWAY_LIMIT_MAX_SHOT: there is no limit named 'max_shot': did you mean"),
    ],
)
def test_what_a_variable_cannot_mean_is_refused_by_its_name(variable, text, sentence, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, text)
    with pytest.raises(UsageError) as caught:
        load()
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--limit", "max_shots"), "--limit is written NAME=VALUE, not 'max_shots'"),
        (("--limit", "max_shots=many"), "--limit max_shots must be an integer of at least 1, not the text 'many'"),
        (
            ("--limit", "least_bytes_per_s=90s"),
            "--limit least_bytes_per_s must be a number of bytes or a size such as 512m or 2g, not '90s'",
        ),
        (
            ("--limit", "least_bytes_per_s=2t"),
            "--limit least_bytes_per_s must be at most 1,000,000,000 bytes per second, not 2199023255552",
        ),
        (("--limit", "max_shot=1"), "there is no limit named 'max_shot': did you mean 'max_shots'?"),
        (("--port", "99999"), "--port must be an integer from 0 to 65535, not 99999"),
        (("--workers", "-1"), "--workers must be an integer from 1 to 1024, not -1"),
    ],
)
def test_what_a_flag_cannot_mean_is_refused_by_its_name(words, sentence):
    with pytest.raises(UsageError) as caught:
        load(*words)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("jobs", "url"),
    [
        ("sqlite:////tmp/x.sqlite", "sqlite:////tmp/x.sqlite"),
        ("postgresql://ada@host/jobs", "postgresql://ada@host/jobs"),
        ("/x.sqlite", "sqlite:////x.sqlite"),
        (Path("/a b"), "sqlite:////a b"),
        ("x.sqlite", f"sqlite:///{Path.cwd() / 'x.sqlite'}"),
        (":memory:", IN_MEMORY),
    ],
)
def test_jobs_are_the_path_of_a_file_or_a_url(jobs, url):
    assert database_url(jobs) == url


@pytest.mark.parametrize("jobs", ["", "a?b", "\0", b"bytes", 3, None])
def test_what_is_neither_a_path_nor_a_url_is_refused(jobs):
    with pytest.raises(RequestError, match=r"jobs") as caught:
        database_url(jobs)
    assert caught.value.field == "jobs"


def test_the_file_of_settings_in_the_readme_is_one(tmp_path: Path):
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    found = load("--settings", written(tmp_path, block))
    assert (found.resources, found.limits.timeout_s) == (Resources(threads=2, memory="4g"), 600)


def test_a_file_with_a_list_is_refused_by_its_name(tmp_path: Path):
    file = written(tmp_path, "[1, 2]", "settings.json")
    with pytest.raises(UsageError, match=re.escape(f"{file} must be an object, not a list of 2")):
        load("--settings", file)


def test_a_list_is_written_with_commas_or_by_a_flag_for_each():
    words = ("--allow-host", "a,b", "--allow-host", "c")
    assert load(*words).allowed_hosts == ("a", "b", "c")
    assert sources.flags_for_each(parsed(*words))[-2:] == ["--allow-host", "a,b,c"]


def test_settings_that_are_for_programs_are_in_no_hint(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        load("--settings", written(tmp_path, "pickle = true\n"))
    assert "Known are" in str(caught.value) or "known are" in str(caught.value)
    assert not [name for name in INTERNAL if re.search(rf"\b{name}\b", str(caught.value))]


SWITCHES = {"false": False, "no": False, "OFF": False, "0": False, "true": True, "Yes": True, "on": True, "1": True}


@pytest.mark.parametrize("text", SWITCHES)
def test_a_switch_is_read_in_one_way(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_ANONYMOUS", text)
    assert load().anonymous is SWITCHES[text]


def test_an_interface_that_is_not_there_is_refused_with_the_name_of_its_file(tmp_path: Path):
    file = written(tmp_path, "[interfaces]\nx = 1\n")
    with pytest.raises(UsageError, match=re.escape(f"{file}: there is no interface 'x' for older clients")):
        load("--settings", file)


def test_a_variable_that_means_nothing_is_named_once_with_the_closest_one(capsys):
    environ = {"GATEWAY_WORKER": "2", "GATEWAY_INTERFACE": "CGI/1.1", "GATEWAY_JOBS": "x", "OTHER": "1"}
    for _ in range(2):
        sources.warn_of_unknown_variables(environ)
    assert capsys.readouterr().err == (
        "gateway: warning: no setting is named GATEWAY_WORKER, which is ignored: did you mean GATEWAY_WORKERS?\n"
    )


def test_every_variable_of_ours_is_known(capsys):
    """A variable that the code reads is never called unknown."""
    folder = Path(sources.__file__).parents[1]
    names = {
        name for file in folder.rglob("*.py") for name in re.findall(r'"(GATEWAY_[A-Z]\w*[A-Z])"', file.read_text())
    }
    assert "GATEWAY_STATE_DIR" in names
    sources.warn_of_unknown_variables(dict.fromkeys(names - {sources.WARNED}, "1"))
    assert capsys.readouterr().err == ""


def test_what_comparisons_may_not_exceed_comes_from_a_file_and_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    parser = argparse.ArgumentParser()
    opening.add_arguments(parser)
    file = written(tmp_path, 'comparisons_at_once = 3\n[comparison_limits]\nkeep_bytes = "1 GiB"\nkeep_s = "30d"\n')
    monkeypatch.setenv("GATEWAY_COMPARISON_KEEP_NUMBER", "500")
    found = sources.load(parser.parse_args(["--settings", file]), DoorSettings)
    assert found.comparisons_at_once == 3
    assert found.comparison_limits == ComparisonLimits(keep_bytes=2**30, keep_s=30 * 86_400.0, keep_number=500)
    monkeypatch.setenv("GATEWAY_COMPARISON_KEEP_NUMBER", "0")
    with pytest.raises(UsageError, match="GATEWAY_COMPARISON_KEEP_NUMBER must be an integer of at least 1"):
        sources.load(parser.parse_args([]), DoorSettings)
    monkeypatch.delenv("GATEWAY_COMPARISON_KEEP_NUMBER")
    wrong = written(tmp_path, "[comparison_limits]\nkeep_numbers = 5\n")
    with pytest.raises(UsageError, match="has no field 'keep_numbers': did you mean 'keep_number'"):
        sources.load(parser.parse_args(["--settings", wrong]), DoorSettings)
