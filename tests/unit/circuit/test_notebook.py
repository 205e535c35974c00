from __future__ import annotations

from support.circuits import teleportation
from support.notebook import Output

from gateway.circuit import Circuit, Operation


class Printer:
    text_so_far = ""

    def text(self, text: str) -> None:
        self.text_so_far += text


def in_a_terminal(circuit: Circuit) -> str:
    printer = Printer()
    circuit._repr_pretty_(printer, cycle=False)
    return printer.text_so_far


def test_a_notebook_shows_the_size_and_the_picture_of_a_circuit():
    markup = teleportation()._repr_html_()
    size = f"3 qubits, 3 clbits, {len(teleportation().operations)} operations, depth {teleportation().depth()}"
    assert Output(markup).text == f"Circuit {size}"
    assert 'alt="3 qubits, 3 clbits: ' in markup


def test_a_large_circuit_is_shown_in_part_and_the_output_says_so():
    circuit = Circuit(3, 0, [Operation("h", (place % 3,)) for place in range(1_000_000)])
    markup = circuit._repr_html_()
    assert len(markup) < 300_000
    text = "Circuit 3 qubits, 0 clbits, 1,000,000 operationsThe first 360 of 1,000,000 operations are drawn."
    assert Output(markup).text == text


def test_a_circuit_of_nothing_is_shown():
    assert Output(Circuit()._repr_html_()).text == "Circuit 0 qubits, 0 clbits, 0 operations, depth 0"


def test_a_terminal_shows_the_drawing_of_a_small_circuit_and_the_size_of_a_large_one():
    assert in_a_terminal(teleportation()) == teleportation().draw()
    large = Circuit(1, 0, [Operation("h", (0,))] * 501)
    assert in_a_terminal(large) == "Circuit(1 qubit, 0 clbits, 501 operations)"
