"""What docstrings of messages say, for those who read the OpenAPI document."""

from __future__ import annotations

from gateway.protocol.docstrings import described_fields, plain

DOCSTRING = """A message about a :class:`~gateway.circuit.Circuit`, ``null`` or ``None``.

    In Python, there is more::

        Message(1).more()

    The last sentence.

    Args:
        first: what is first; it goes on
            in the next line: here.
        second: what is second.

    Raises:
        ValueError: never.
    """


def test_the_message_itself_is_explained_without_python():
    assert plain(DOCSTRING) == "A message about a `Circuit`, `null` or null.\n\nThe last sentence."


def test_each_field_has_its_own_explanation():
    assert described_fields(DOCSTRING) == {
        "first": "what is first; it goes on in the next line: here.",
        "second": "what is second.",
    }


def test_a_docstring_without_fields_has_none():
    assert described_fields("One line.") == {}
    assert described_fields("") == {}
    assert plain("One line.") == "One line."
    assert plain("") == ""


def test_fields_may_follow_without_a_heading():
    docstring = "What it is.\n\nwidth: the width.\ncounts: bitstring -> shots."
    assert described_fields(docstring) == {"width": "the width.", "counts": "bitstring -> shots."}
    assert plain(docstring) == "What it is."
