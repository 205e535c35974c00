"""A comparison as a plot."""

from __future__ import annotations

import io
import subprocess
import sys

import msgspec
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure
from support import records

from gateway.compare.presentation.plotting import plot
from gateway.errors import RequestError
from gateway.look.theme import DARK, LIGHT

replace = msgspec.structs.replace

WITH_RESULTS = [name for name in records.ALL if name not in {"empty", "everybody_failed"}]


def drawn(figure: Figure) -> str:
    """Return the figure as SVG, which draws it; a warning while it is drawn is an error."""
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


@pytest.mark.parametrize("name", WITH_RESULTS)
def test_every_record_with_results_can_be_drawn(name: str) -> None:
    assert drawn(plot(records.ALL[name]()))


def test_one_circuit_is_histograms_side_by_side() -> None:
    figure = plot(records.one_differs())
    assert titles(figure) == ["reference", "cirq", "mqt", "qiskit", "pytket", "≠ rigetti", "qulacs"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:2] == ["000", "001"]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_clbits_are_drawn_around_a_middle() -> None:
    figure = plot(records.flat())
    assert titles(figure)[-1] == "≠ qsim"
    assert figure.axes[-1].get_xlim() == (-20, 20)
    assert figure.axes[0].get_yticklabels()[0].get_text() == "clbit 13"


def test_many_simulators_have_a_matrix_of_pairs() -> None:
    figure = plot(records.many_simulators())
    assert titles(figure) == ["reference", "10 agree", "≠ reversed", "≠ uniform", "Pairs: distance between samples"]
    texts = [text.get_text() for text in figure.axes[-1].texts]
    assert len(texts) == 12 * 11 / 2
    assert sum(text.startswith("≠") for text in texts) == 20


def test_a_series_has_a_matrix_of_circuits_and_curves() -> None:
    figure = plot(records.series())
    assert titles(figure) == ["Distance from the reference", "Milliseconds of a run, median of 5"]
    assert figure.axes[1].get_yscale() == "log"
    assert [text.get_text() for text in figure.axes[1].texts] == ["mqt", "qiskit", "cirq", "rigetti"]


def test_of_very_many_circuits_those_with_news_are_drawn() -> None:
    record = records.series()
    figure = plot(replace(record, cases=(*[record.cases[0]] * 100, record.cases[4])))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == 30
    assert labels[-1] == "cat-10.qasm"
    assert titles(figure) == ["Distance from the reference; 71 circuits more"]


def test_the_theme_is_that_of_the_caller_and_the_settings_remain_theirs() -> None:
    before = dict(rcParams)
    assert plot(records.all_agree(), theme="dark").get_facecolor() == pytest.approx(_rgba(DARK.paper))
    assert plot(records.all_agree()).get_facecolor() == pytest.approx(_rgba(LIGHT.paper))
    assert dict(rcParams) == before


def _rgba(color: str) -> tuple[float, ...]:
    return (*[int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)], 1.0)


def test_names_are_no_formulas() -> None:
    record = records.one_differs()
    rows = tuple(replace(row, simulator=f"$\\frac{{{place}$") for place, row in enumerate(record.rows))
    assert drawn(plot(replace(record, cases=(replace(record.cases[0], rows=rows),))))


@pytest.mark.parametrize("name", ["empty", "everybody_failed"])
def test_nothing_to_draw_is_an_error(name: str) -> None:
    with pytest.raises(RequestError, match="there is nothing to plot: no simulator has results"):
        plot(records.ALL[name]())


def test_an_unknown_theme_is_an_error() -> None:
    with pytest.raises(RequestError, match="the theme of a plot is light or dark, not 'pink'"):
        plot(records.all_agree(), theme="pink")


def test_only_a_plot_loads_matplotlib() -> None:
    code = "import sys, gateway.compare.presentation; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
