"""The content tag, the build context and what is made of a build's events, without an engine."""

from __future__ import annotations

import tarfile
import zipfile

import pytest

from gateway.containers import image
from gateway.containers.image import Step, build, ca_bundle, content_tag, context_files, ensure, pack
from gateway.containers.progress import bar
from gateway.errors import DiskFull, EngineRefused, ImageBuildError, ImageNotFound

FILES = {"a": b"1", "b/c": b"2"}


class FakeEngine:
    """Answers what it is told to."""

    def __init__(self, events=(), *, has=(), pulls=()) -> None:
        self.events = events
        self.has = list(has)
        self.pulls = list(pulls)
        self.pulled = []
        self.context = None

    def image(self, reference):
        return None

    def images_labelled(self, label):
        return self.has

    def pull(self, reference, say):
        self.pulled.append(reference)
        if not self.pulls:
            raise ImageNotFound(f"{reference} cannot be pulled: no such host", image=reference)
        say("downloading")
        self.has = self.pulls

    def first_layer(self, label, *, without, newest=False):
        return "sha256:runtime"

    def remove_dangling(self, label):
        self.cleaned = label

    def build(self, context, **options):
        self.context = context
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event
        self.has = ["sha256:built"]


def names(packed):
    with tarfile.open(fileobj=packed) as tar:
        return tar.getnames()


def test_the_tag_is_the_same_for_the_same_files():
    assert content_tag(FILES) == content_tag(dict(reversed(FILES.items())))
    assert len(content_tag(FILES)) == 12


@pytest.mark.parametrize(
    "other", [{"a": b"1"}, {"a": b"1", "b/c": b"3"}, {"a": b"1", "b/d": b"2"}, {"a": b"12", "b/c": b""}]
)
def test_the_tag_changes_with_any_file(other):
    assert content_tag(other) != content_tag(FILES)


def test_the_context_holds_the_recipe_and_both_packages_and_nothing_else():
    files = context_files()

    assert {"images/simulators/Dockerfile", "images/simulators/requirements-main.lock"} <= files.keys()
    assert {"gateway/__init__.py", "adapters/base.py", "gateway/protocol/PROTOCOL.md"} <= files.keys()
    assert {path.partition("/")[0] for path in files} == {"images", "gateway", "adapters"}
    assert not [path for path in files if "__pycache__" in path or path.endswith((".pyc", ".crt"))]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_installed_package_has_the_same_context_as_the_checkout(tmp_path, monkeypatch):
    from hatchling.builders.wheel import WheelBuilder  # noqa: PLC0415

    root = image.Path(image.__file__).parents[2]
    wheel = next(iter(WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])))
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)  # noqa: S202 - our own
    here = context_files()

    monkeypatch.setattr(image, "__file__", str(site / "gateway/containers/image.py"))
    there = context_files()
    assert there.keys() == here.keys()
    assert content_tag(there) == content_tag(here)


def test_equal_files_give_equal_tars():
    assert pack(FILES).read() == pack(dict(reversed(FILES.items()))).read()
    assert names(pack(FILES)) == ["a", "b/c"]


def test_the_ca_bundle_is_the_one_the_environment_names(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"PEM")

    assert ca_bundle({"SSL_CERT_FILE": str(bundle)}) == b"PEM"
    assert ca_bundle({"REQUESTS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": "/nowhere"}) == b"PEM"
    assert ca_bundle({"REQUESTS_CA_BUNDLE": str(tmp_path)}) == b""
    assert ca_bundle({}) == b""


def test_the_bundle_is_in_the_tar_but_not_in_the_tag(tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"PEM")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    engine = FakeEngine()

    build(engine, lambda _: None, files=FILES)

    assert "images/simulators/ca-bundle.crt" in names(engine.context)


def test_a_build_reports_its_steps():
    seen = []
    events = [{"stream": "Step 1/2 : FROM x"}, {"stream": " ---> abc\n"}, {"stream": "Step 2/2 : RUN y\n"}]

    build(FakeEngine(events), seen.append, files=FILES)

    assert seen[1:] == [Step(1, 2, "FROM x"), Step(2, 2, "RUN y")]


def test_a_step_that_fails_is_named_with_the_log():
    events = [
        {"stream": "Step 7/9 : RUN false"},
        {"stream": "so far so good\n"},
        {"errorDetail": {"code": 1, "message": "The command 'false' returned a non-zero code: 1"}},
    ]

    with pytest.raises(ImageBuildError, match=r"step 7/9 \(RUN false\): The command") as caught:
        build(FakeEngine(events), lambda _: None, files=FILES)

    assert caught.value.step == "RUN false"
    assert "so far so good" in caught.value.log


@pytest.mark.parametrize(
    ("event", "kind", "remedy"),
    [
        ({"error": "write /x: no space left on device"}, DiskFull, "docker system prune"),
        ({"error": "pull access denied for nowhere"}, ImageBuildError, "BASE_IMAGE"),
        ({"error": "ERROR: Could not find a version that satisfies x"}, ImageBuildError, "PIP_INDEX_URL"),
        (EngineRefused("dockerfile parse error line 3", status_code=400), ImageBuildError, "parse error line 3"),
    ],
)
def test_a_failed_build_says_what_to_do(event, kind, remedy):
    with pytest.raises(kind, match=remedy):
        build(FakeEngine([event]), lambda _: None, files=FILES)


def test_the_image_is_found_then_pulled_then_built(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWAY_REGISTRY", "registry.example.org/quantum/")
    there, elsewhere, nowhere = FakeEngine(has=["x"]), FakeEngine(pulls=["y"]), FakeEngine()

    assert [ensure(one, tmp_path, lambda _: None, content="abc") for one in (there, elsewhere, nowhere)] == [
        "x",
        "y",
        "sha256:built",
    ]
    assert there.pulled == []
    assert elsewhere.pulled == ["registry.example.org/quantum/simulator-gateway:abc"]


def test_nothing_is_pulled_unless_a_registry_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("GATEWAY_REGISTRY", raising=False)
    engine = FakeEngine(pulls=["y"])

    assert ensure(engine, tmp_path, lambda _: None, content="abc") == "sha256:built"
    assert engine.pulled == []


def test_the_bar_fills():
    assert bar(Step(1, 4, "x")).count("█") == 0
    assert bar(Step(3, 4, "x")).count("█") == 12
    assert bar(Step(0, 0, "x")) == "image"
