from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from support.notebook import Output

from gateway import Backend, BackendStatus, Capabilities, Job, JobState, LocalSimulator, Progress
from gateway.backends.server_job import ServerJob
from gateway.errors import SimulatorError, TransportError
from gateway.results import ResultType
from gateway.simulators import SIMULATORS


class Machine(Backend):
    """A backend with any status."""

    def __init__(self, status: BackendStatus | Exception) -> None:
        self.answer = status

    def send(self, request):
        raise NotImplementedError

    def status(self) -> BackendStatus:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def capabilities(self) -> Capabilities:
        return Capabilities(result_types=(ResultType.COUNTS,))


class Run(Job):
    """A job that goes through states, one at each look."""

    def __init__(self, *states: JobState, total: int = 6, error: Exception | None = None) -> None:
        self.id = "c-7f3a20"
        self.states = list(states)
        self.looks = 0
        self.total = total
        self.error = error

    def status(self) -> JobState:
        state = self.states[min(self.looks, len(self.states) - 1)]
        self.looks += 1
        return state

    def progress(self) -> Progress:
        return Progress(min(self.looks, self.total), self.total)

    def result(self, timeout_s=None):
        if self.error is not None:
            raise self.error
        return 7

    def cancel(self) -> bool:
        return False


def text(shown) -> str:
    return Output(shown._repr_html_()).text


# ---------------------------------------------------------------------------- backends


def test_a_backend_says_what_it_is_whether_it_takes_work_and_what_it_can_do():
    output = Output(Machine(BackendStatus("garnet", "2.1", online=True))._repr_html_())
    assert output.text.startswith("Machine garnet 2.1, takes work")
    assert ["results", "counts"] in output.rows


def test_a_backend_that_takes_no_work_says_why():
    assert "○ takes no work now, calibration" in text(Machine(BackendStatus("garnet", "2", False, "calibration")))


def test_a_backend_that_does_not_answer_says_so():
    shown = text(Machine(TransportError("cannot reach http://127.0.0.1:8086: is the server running?")))
    assert shown == "Machine ○ no answercannot reach http://127.0.0.1:8086: is the server running?"


def test_a_simulator_is_not_started_to_be_shown():
    simulator = LocalSimulator("qulacs", workers=1)
    output = Output(simulator._repr_html_())
    assert output.text.startswith("LocalSimulator qulacs, not started: the first run starts it")
    assert ["results", ", ".join(SIMULATORS["qulacs"].capabilities.result_types)] in output.rows
    assert not simulator.has_started()


def test_an_adapter_outside_of_the_registry_is_shown_without_its_capabilities():
    assert text(LocalSimulator(adapter="theirs:Adapter")).startswith("LocalSimulator theirs:Adapter, not started")


def test_hostile_names_are_text():
    assert "<script>" in text(Machine(BackendStatus("<script>", "</div>", True, "<img src=x>")))


# ---------------------------------------------------------------------------- jobs


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (JobState.QUEUED, "… queued"),
        (JobState.RUNNING, "▸ running"),
        (JobState.DONE, "✓ finished"),
        (JobState.FAILED, "! failed"),
        (JobState.CANCELLED, "\N{MULTIPLICATION SIGN} cancelled"),
    ],
)
def test_a_job_has_a_mark_and_a_word_for_its_state(state, words):
    shown = text(Run(state))
    assert shown.startswith(f"{words} 1 of 6 circuits finished")
    assert ("job.cancel() cancels it" in shown) is not state.ended
    assert "Job c-7f3a20." in shown


def test_a_job_of_one_circuit_counts_none():
    assert "circuits" not in text(Run(JobState.RUNNING, total=1))


def test_a_job_of_no_circuits_can_be_shown():
    assert text(Run(JobState.RUNNING, total=0))


def test_a_failed_job_says_why():
    assert "the worker died" in text(Run(JobState.FAILED, error=SimulatorError("the worker died")))
    assert "ZeroDivisionError" in text(Run(JobState.FAILED, error=ZeroDivisionError()))


def test_a_long_message_is_folded():
    shown = Run(JobState.FAILED, error=SimulatorError("word " * 500))._repr_html_()
    assert "<details" in shown
    assert Output(shown).text.count("word ") >= 500


def test_a_job_whose_server_does_not_answer_is_shown_after_one_question():
    class Gone:
        url = "http://127.0.0.1:1"
        questions = 0

        def job_info(self, job_id, wait_s=0, *, results=True):
            self.questions += 1
            raise TransportError("cannot reach http://127.0.0.1:1")

        def cancel_job(self, job_id):
            raise NotImplementedError

    keeper = Gone()
    info = SimpleNamespace(id="abc", state=JobState.RUNNING, results=None, progress=SimpleNamespace(done=0, total=1))
    assert text(ServerJob(keeper, info)).startswith("Job ○ no answercannot reach")
    assert keeper.questions == 1


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pretend to be in a notebook, and return what it shows, in order."""
    shown: list[str] = []
    display = ModuleType("IPython.display")

    def show(output: dict[str, str], *, raw: bool, display_id: bool = True) -> SimpleNamespace:
        assert raw
        assert display_id
        shown.append(output["text/html"])
        return SimpleNamespace(update=show)

    vars(display).update(display=show)
    ipython = ModuleType("IPython")
    vars(ipython).update(get_ipython=lambda: SimpleNamespace(kernel=1), display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def test_a_watched_job_is_drawn_again_in_place_until_it_has_ended(notebook: list[str]):
    Run(JobState.QUEUED, *[JobState.RUNNING] * 4, JobState.DONE).watch(interval_s=0)
    words = [Output(shown).text.partition(" 1")[0].split()[1] for shown in notebook]
    assert words[0] == "queued"
    assert words[-1] == "finished"
    assert "running" in words


def test_where_there_is_no_notebook_watching_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    job = Run(JobState.RUNNING, JobState.RUNNING, JobState.RUNNING, JobState.DONE)
    job.watch(interval_s=0)
    assert job.status() is JobState.DONE
