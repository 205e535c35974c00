from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.errors import RequestError
from gateway.look.theme import DARK, LIGHT

plotting = pytest.importorskip("gateway.look.plotting", exc_type=ImportError)
colors = pytest.importorskip("matplotlib.colors")
SHARES = {"000": 0.02, "001": 0.05, "010": 0.58, "011": 0.35}


def widths(axes) -> list[float]:
    return [round(patch.get_width(), 9) for patch in axes.patches]


def test_a_histogram_has_a_bar_for_each_outcome_the_first_on_top():
    figure = plotting.histogram(SHARES, title="qulacs", of="10,000 shots", theme="light", axes=None)
    (axes,) = figure.axes
    assert widths(axes) == [2, 5, 58, 35]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(SHARES)
    bottom, top = axes.get_ylim()
    assert top < 0 < bottom, "the first row is on top"
    assert axes.get_xlabel() == "per cent of 10,000 shots"
    assert axes.get_title(loc="left") == "qulacs"


def test_the_outcomes_that_are_not_drawn_are_counted():
    values = {format(index, "010b"): 2**-10 for index in range(2**10)}
    (axes,) = plotting.histogram(values, title="", of="", theme="light", axes=None).axes
    assert len(axes.patches) == 14
    assert axes.get_xlabel() == "probability in per cent\n1,010 more outcomes: 98.6"


@pytest.mark.parametrize(("name", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_a_plot_has_the_colours_of_its_theme(name, theme):
    figure = plotting.histogram(SHARES, title="", of="", theme=name, axes=None)
    assert colors.to_hex(figure.get_facecolor()) == theme.paper
    assert {colors.to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches} == {theme.datum}


def test_the_settings_of_the_caller_stay_as_they_are():
    code = (
        "import sys, matplotlib\n"
        "from gateway.counts import Counts\n"
        "Counts({'0': 5}).plot(theme='dark').savefig('/dev/null', format='png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "matplotlib.use('agg')\n"
        "before = dict(matplotlib.rcParams)\n"
        "Counts({'0': 5}).plot(theme='dark').savefig('/dev/null', format='png')\n"
        "assert dict(matplotlib.rcParams) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_who_differs_is_marked_by_shape_and_colour():
    with plotting.style(LIGHT):
        axes = plotting.Plot().add_subplot()
        plotting.bars(
            axes, [0.1, 0.2], theme=LIGHT, end=0.3, title="rigetti", differs=[False, True], ticks=[0.1, 0.1],
            chance=[(0.08, 0.12), (0.08, 0.12)],
        )  # fmt: skip
    band, bar = axes.patches[:2], axes.patches[2:]
    assert [patch.get_hatch() for patch in bar] == [None, "////"]
    assert [colors.to_hex(patch.get_facecolor()) for patch in bar] == [LIGHT.datum, LIGHT.differ]
    assert [round(patch.get_width()) for patch in band] == [4, 4]
    assert axes.get_title(loc="left") == "≠ rigetti"
    axes.figure.savefig("/dev/null", format="png")


def test_a_histogram_can_be_drawn_into_axes_of_the_caller():
    from matplotlib.figure import Figure  # noqa: PLC0415 - absent where plots are

    mine = Figure()
    axes = mine.add_subplot()
    assert plotting.histogram(SHARES, title="", of="", theme="light", axes=axes) is mine
    assert widths(axes) == [2, 5, 58, 35]


def test_a_notebook_gets_a_sharp_picture_of_a_plain_size():
    plot = plotting.histogram(SHARES, title="", of="", theme="light", axes=None)
    picture, size = plot._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert size["width"] == round(96 * plot.get_size_inches()[0])


def test_nothing_can_be_plotted_too():
    (axes,) = plotting.histogram({}, title="", of="0 shots", theme="light", axes=None).axes
    assert widths(axes) == []


def test_an_unknown_theme_is_refused_by_name():
    with pytest.raises(RequestError, match="light or dark, not 'blue'"):
        plotting.histogram(SHARES, title="", of="", theme="blue", axes=None)


def test_the_error_of_an_absent_matplotlib_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from gateway.counts import Counts\n"
        "from gateway.errors import FrameworkNotInstalled\n"
        "try: Counts({'0': 5}).plot()\n"
        "except FrameworkNotInstalled as exc: print(exc.message)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'simulator-gateway[plot]'" in done.stdout
