"""Real faults of engines, images and containers: promise 22 of tests/security, and the list of faults.

Each fault has its own class of error and a message that says what to do; nothing of ours is left
behind; and the next run works.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import uuid
from functools import partial
from pathlib import Path

import pytest
from docker.models.containers import Container
from support.fake import Does, fake
from support.waiting import wait_until

from gateway import Circuit, DockerSimulator
from gateway.containers import image as image_module
from gateway.containers.engine import connect
from gateway.errors import (
    ContainerConflict,
    ContainerExited,
    ContainerStartError,
    DiskFull,
    DockerUnavailable,
    ImageBuildError,
    ImageNotFound,
    LimitError,
    NotReady,
    OutOfMemory,
    PortTaken,
)

BELL = Circuit(2).h(0).cx(0, 1).measure_all()
GIB = 2**30
AN_HOUR_S = 3600
"""A start that waited so long would outlast the test's own deadline."""


def assert_all_is_well_again(mine) -> None:
    """The next run works, and nothing is left afterwards."""
    with DockerSimulator("qulacs") as simulator:
        assert simulator.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


# ---------------------------------------------------------------------- the engine


@pytest.mark.parametrize("listening", [False, True], ids=["no socket", "nobody listens"])
def test_no_engine(mine, monkeypatch, tmp_path, listening):
    path = tmp_path / "docker.sock"
    if listening:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))

    with monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{path}")
        with pytest.raises(DockerUnavailable, match=r"systemctl start docker|docs\.docker"):
            DockerSimulator("qulacs", start_timeout_s=AN_HOUR_S).run(BELL)

    assert_all_is_well_again(mine)


class Forwarder:
    """A way to the engine that can be cut: what a client sees when the engine dies."""

    def __init__(self, path: Path, target: str = "/var/run/docker.sock") -> None:
        self.address = f"unix://{path}"
        self._path, self._target = path, target
        self._sockets: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def open(self) -> None:
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        for one in [self._listener, *self._sockets]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                one.close()
        self._sockets = []

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets the SDK forgets
def test_engine_gone_when_a_container_dies_during_a_run(mine, rogue, tmp_path, monkeypatch):
    way = Forwarder(tmp_path / "engine.sock")
    way.open()
    monkeypatch.setenv("DOCKER_HOST", way.address)
    simulator = DockerSimulator("qulacs", image=rogue)
    simulator.start()
    (container,) = mine.containers()
    job = simulator.run_async(fake(Does.SLEEP, 60), shots=1)
    mine.wait_until_doing(Does.SLEEP)

    way.cut()
    container.kill()
    with pytest.raises(DockerUnavailable, match=r"went away during the run: .* the next run starts anew"):
        job.result(30)

    with pytest.raises(DockerUnavailable, match="nobody listens, so the daemon does not run"):
        simulator.run(fake(), shots=1)
    way.open()
    assert simulator.run(fake(), shots=1).shots == 1
    simulator.close()
    monkeypatch.delenv("DOCKER_HOST")
    assert_all_is_well_again(mine)


# ---------------------------------------------------------------------- the container


def test_container_killed_during_a_run(mine, rogue):
    with DockerSimulator("qulacs", image=rogue) as simulator:
        simulator.start()
        job = simulator.run_async(fake(Does.SLEEP, 60), shots=1)
        mine.wait_until_doing(Does.SLEEP)
        (container,) = mine.containers()
        container.kill("SIGKILL")

        with pytest.raises(ContainerExited, match="exit code 137 during the run: run it again") as caught:
            job.result(30)

        assert (caught.value.exit_code, caught.value.oom_killed) == (137, False)
        assert "serving qulacs" in caught.value.logs
        (volume,) = mine.volumes()
        assert mine.left_behind() == [volume.name], "the job stays, for the next container to take up"
        assert simulator.run(fake(), shots=1).shots == 1
    assert mine.left_behind() == []


def test_container_removed_between_two_runs_costs_only_a_new_one(mine):
    with DockerSimulator("qulacs") as simulator:
        simulator.run(BELL, shots=10)
        mine.containers()[0].remove(force=True)

        assert simulator.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


@pytest.mark.parametrize("name", ["qulacs", "cirq", "qiskit"])
def test_more_qubits_than_the_memory_holds_are_refused_before_anything_runs(mine, name):
    with DockerSimulator(name, memory="1g") as simulator:
        simulator.start()
        with pytest.raises(LimitError, match=r"at most 2\d do; .*the container has 1g.*memory=") as caught:
            simulator.run(Circuit(30).h(0).measure_all(), shots=10)

        assert 20 <= caught.value.allowed < 26
        assert simulator.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


def test_simulator_that_allocates_more_than_it_declared(mine, rogue):
    with DockerSimulator("qulacs", image=rogue, memory="512m") as simulator:
        container = simulator.start() and simulator.container
        with pytest.raises(OutOfMemory, match=r"the container has 512m.*memory="):
            simulator.run(fake(Does.ALLOCATE, 2 * GIB), shots=1)

        assert simulator.run(fake(), shots=1).shots == 1
        assert simulator.container == container
    assert mine.left_behind() == []


def test_server_that_ends_at_once(mine, stillborn):
    with pytest.raises(
        ContainerStartError, match="ended with exit code 1 before it answered: its log says why"
    ) as caught:
        DockerSimulator("qulacs", image=stillborn, start_timeout_s=AN_HOUR_S).start()

    assert (caught.value.exit_code, caught.value.state, caught.value.oom_killed) == (1, "exited", False)
    assert "no way" in caught.value.logs
    assert_all_is_well_again(mine)


def test_server_that_ends_before_its_port_is_known(mine, ephemeral):
    with pytest.raises(ContainerStartError, match="ended with exit code 0 before it answered"):
        DockerSimulator("qulacs", image=ephemeral, start_timeout_s=AN_HOUR_S).start()

    assert_all_is_well_again(mine)


def test_server_that_never_answers(mine, mute):
    with pytest.raises(NotReady, match="did not answer within 2 s: wait longer with start_timeout_s") as caught:
        DockerSimulator("qulacs", image=mute, start_timeout_s=2).start()

    assert isinstance(caught.value, TimeoutError)
    assert caught.value.state == "running"
    assert_all_is_well_again(mine)


def test_port_taken_by_a_process(mine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} .*is taken by .*: stop what uses it, or leave") as caught:
            DockerSimulator("qulacs", port=port).start()

        assert caught.value.port == port
        assert "(process " in caught.value.holder
        assert mine.left_behind() == []
    with DockerSimulator("qulacs", port=port) as simulator:
        assert simulator.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


def test_port_taken_by_a_container(mine):
    with DockerSimulator("qulacs") as first:
        port = first.client().port
        with pytest.raises(PortTaken, match=f"port {port} .*is taken by the container {first.container}: stop"):
            DockerSimulator("mqt", port=port).start()
    assert_all_is_well_again(mine)


def test_foreign_container_with_our_name(mine, client, image):
    with DockerSimulator("qulacs") as simulator:
        simulator.start()
        name = simulator.container
    foreign = client.containers.create(image.id, name=name)

    with pytest.raises(
        ContainerConflict, match=f"{name} that is not ours, so it is left alone: docker rename"
    ) as caught:
        DockerSimulator("qulacs").start()

    assert caught.value.container == name
    foreign.reload()  # it is still there
    foreign.remove()
    assert_all_is_well_again(mine)


def test_ctrl_c_during_a_run(mine, rogue):
    code = """
    from support.fake import Does, fake
    simulator = DockerSimulator("qulacs", image=sys.argv[1])
    simulator.start()
    print("up", flush=True)
    simulator.run(fake(Does.SLEEP, 60), shots=1)
    """
    process = mine.script(code, rogue)
    mine.line(process)
    mine.wait_until_doing(Does.SLEEP)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert said.rstrip().endswith("KeyboardInterrupt")
    assert_all_is_well_again(mine)


def test_ctrl_c_while_the_engine_creates_a_container(mine, mute):
    code = """
    import threading
    from gateway.containers.engine import Engine
    create = Engine.create

    def create_interrupted(*words, **options):
        threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGINT)).start()
        return create(*words, **options)

    Engine.create = create_interrupted
    DockerSimulator("qulacs", image=sys.argv[1]).start()
    """
    for delay_s in (0.002, 0.004, 0.008, 0.016):  # the engine takes longer, or has answered before the last one
        _, said = mine.script(code, mute, str(delay_s)).communicate(timeout=60)
        assert said.rstrip().endswith("KeyboardInterrupt")
        assert not mine.left_behind(), delay_s


def test_ctrl_c_while_a_container_starts(mine, mute):
    process = mine.script('print("go", flush=True)\nDockerSimulator("qulacs", image=sys.argv[1]).start()', mute)
    mine.line(process)
    wait_until(mine.containers, "a container")

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert_all_is_well_again(mine)


# ---------------------------------------------------------------------- the image


def broken(*steps: str) -> dict[str, bytes]:
    """Return our build context with other steps."""
    recipe = "\n".join(["FROM python:3.11-slim-bookworm", *steps])
    return {**image_module.context_files(), "images/simulators/Dockerfile": recipe.encode()}


def test_image_that_is_nowhere(mine):
    with pytest.raises(ImageNotFound, match=r"127\.0\.0\.1:1/nowhere:1 cannot be pulled") as caught:
        DockerSimulator("qulacs", image="127.0.0.1:1/nowhere:1").start()

    assert caught.value.image == "127.0.0.1:1/nowhere:1"
    assert_all_is_well_again(mine)


def test_build_that_fails_half_way(mine, client):
    before = {one.id for one in client.containers.list(all=True)}

    with pytest.raises(ImageBuildError, match=r"step 3/\d \(RUN echo half-way && exit 3\): .* trying again") as caught:
        image_module.build(connect(), lambda _: None, files=broken("RUN true", "RUN echo half-way && exit 3"))

    assert caught.value.step == "RUN echo half-way && exit 3"
    assert "half-way" in caught.value.log
    assert not [
        one for one in client.containers.list(all=True) if one.id not in before and "half-way" in str(one.attrs)
    ]
    assert_all_is_well_again(mine)


def test_dockerfile_that_is_wrong(mine):
    with pytest.raises(ImageBuildError, match=r"could not be built: .*unknown instruction: RUNN"):
        image_module.build(connect(), lambda _: None, files=broken("RUNN true"))

    assert_all_is_well_again(mine)


def test_disk_full_during_a_build(mine):
    with pytest.raises(DiskFull, match="docker system prune"):
        image_module.build(connect(), lambda _: None, files=broken("RUN dd if=/dev/zero of=/dev/shm/x bs=1M count=99"))

    assert_all_is_well_again(mine)


def test_disk_full_when_a_token_is_stored(mine):
    mine.vault.prepare()
    folder = mine.vault.folder
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)], check=True)
    try:
        filler = folder / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1024"], check=False, stderr=subprocess.DEVNULL)
        with pytest.raises(DiskFull, match=r"no space left for the tokens in .*df -h"):
            DockerSimulator("qulacs").start()

        assert mine.left_behind() == []
        filler.unlink()
        assert_all_is_well_again(mine)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_ctrl_c_during_a_build(mine, client):
    step = f"RUN echo {uuid.uuid4()} && sleep 87"  # unlike any in the engine's cache
    code = """
    from gateway.containers import image
    from gateway.containers.engine import connect
    recipe = f"FROM python:3.11-slim-bookworm\\n{sys.argv[1]}\\n".encode()
    files = {**image.context_files(), "images/simulators/Dockerfile": recipe}
    image.build(connect(), lambda step: print(step.what, flush=True), files=files)
    """
    process = mine.script(code, step)
    while mine.line(process) != step:
        pass
    sleeping = partial(_containers_that_run, client, step)
    wait_until(sleeping, "the step to be run")

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert said.rstrip().endswith("KeyboardInterrupt")
    wait_until(lambda: not sleeping(), "the end of the build")
    assert_all_is_well_again(mine)


def _containers_that_run(client, step: str) -> list[Container]:
    containers = client.containers.list(all=True, ignore_removed=True)
    return [one for one in containers if step.removeprefix("RUN ") in str(one.attrs["Config"])]
