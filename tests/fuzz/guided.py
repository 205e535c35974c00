"""The same checks, fed by atheris: it keeps inputs that reach new code, and changes those further.

Run by ``scripts/fuzz --engine atheris [--seconds N] [--check text|body]``, in an environment of its own. An input that
breaks something is written to a file ``crash-*`` or ``timeout-*`` in the folder where it was started.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

with atheris.instrument_imports(include=["gateway"]):
    from support.mutation import BODY, PROGRAMS, TOKENS
    from support.subject import CHECKS


def main() -> None:
    """Run one check until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="atheris")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--check", choices=CHECKS, default="text")
    arguments = parser.parse_args()
    check = CHECKS[arguments.check]
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        seeds = [BODY] if arguments.check == "body" else [text.encode() for text in PROGRAMS]
        for number, seed in enumerate(seeds):
            (corpus / str(number)).write_bytes(seed)
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS), encoding="ascii")
        options = [
            f"-max_total_time={arguments.seconds:.0f}",
            "-timeout=30",
            "-rss_limit_mb=2048",
            "-max_len=4096",
        ]
        atheris.Setup([sys.argv[0], *options, f"-dict={words}", str(corpus)], lambda data: check(data) and None)
        atheris.Fuzz()


def _escaped(token: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token.encode(errors="surrogateescape"))


if __name__ == "__main__":
    main()
