"""What is served of the page is what its sources make."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "gateway/door/page"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm, which bundles the page, is not installed")
def test_the_built_page_is_that_of_its_sources():
    done = subprocess.run([ROOT / "scripts/page", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_asks_no_other_host_for_anything_and_has_no_style_or_script_of_its_own():
    index = (BUILT / "index.html").read_text()
    assert re.findall(r'(?:href|src)="([^"?]*)', index)[1:] == ["app.css", "app.js"]
    assert not re.search(r"<style|\sstyle=|<script>|\son\w+=", index)
    assert "url(" not in (BUILT / "app.css").read_text().replace("url(#stripes)", "")


def test_every_package_that_is_bundled_has_its_licence_in_the_build():
    licences = (BUILT / "app.js.LEGAL.txt").read_text()
    assert "preact" in licences
    assert "MIT" in licences
