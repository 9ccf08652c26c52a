"""Steps over TCP: three ranks, each in a network namespace of its own, as on three hosts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from processes import OPEN_MPI, mpiexec, python_path
from ranks.cases import cases, plain

HOSTS = ["10.213.7.1", "10.213.7.2", "10.213.7.3"]
PREFIX = f"gradstep-{os.getpid()}"
#: Without it, MPICH finds out that all are on one machine, namespaces or not.
TCP = {"MPIR_CVAR_NOLOCAL": "1", "UCX_TLS": "tcp,self", "UCX_NET_DEVICES": "eth0", "FI_PROVIDER": "tcp"}
TRAININGS = "^AdamW float32 clip|LAMB mixed|Prodigy float64"


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=10, check=False)
    if done.returncode != 0:
        pytest.skip(f"ip {' '.join(arguments[:3])}: {done.stderr.strip()}")


def namespace(host: int) -> str:
    return f"{PREFIX}-{host}"


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    """Namespaces that hang on one bridge, in a namespace of its own; all are gone afterwards."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        pytest.skip("there is no iproute2")
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    if mpiexec() is None:
        pytest.skip("no mpiexec beside this Python, or no mpi4py; they are in the group test")
    hub, names = f"{PREFIX}-hub", [namespace(host) for host in range(len(HOSTS))]
    try:
        for name in [hub, *names]:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", hub, "link", "set", "bridge", "up")
        for name, address in zip(names, HOSTS, strict=True):
            port = f"to{address[-1]}"
            ip("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", hub, "link", "set", port, "master", "bridge", "up")
            ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        yield names
    finally:
        for name in [*names, hub]:
            inside = ["ip", "netns", "pids", name]
            pids = subprocess.run(inside, capture_output=True, text=True, timeout=10, check=False).stdout
            for pid in pids.split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=10, check=False)


@pytest.mark.not_sanitized
@pytest.mark.parametrize("way", ["large", "small"])
def test_three_hosts_come_to_the_same_bits(hosts: list[str], way: str, tmp_path: Path) -> None:
    """The launcher calls a script in the place of ssh, which enters the namespace of a host."""
    version = subprocess.run([str(mpiexec()), "--version"], capture_output=True, text=True, check=True).stdout
    if "HYDRA" not in version:
        pytest.skip("it is Hydra, the launcher of MPICH, that takes a script for ssh")
    script = tmp_path / "ssh"
    choices = "\n".join(
        f'  {address}) exec ip netns exec {name} sh -c "$*";;'
        for address, name in zip(HOSTS, hosts, strict=True)
    )
    script.write_text(
        f'#!/bin/sh\n[ "$1" = -x ] && shift\nhost="$1"; shift\ncase "$host" in\n{choices}\nesac\n'
    )
    script.chmod(0o755)
    command = ["ip", "netns", "exec", hosts[0], str(mpiexec()), "-iface", "eth0"]
    command += ["-launcher", "ssh", "-launcher-exec", str(script), "-hosts", ",".join(HOSTS), "-n", "3"]
    command += [sys.executable, "-m", "mpi4py", "-m", "ranks.bits_of_ranks", way, TRAININGS]
    variables = {"GRADSTEP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": python_path()}
    environment = os.environ | OPEN_MPI | variables | TCP
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=90, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in hosts:
        counted = ["ip", "netns", "exec", name, "cat", "/sys/class/net/eth0/statistics/tx_bytes"]
        sent = subprocess.run(counted, capture_output=True, text=True, timeout=10, check=True).stdout
        assert int(sent) > 3_000_000, "the gradients went another way"
    came = json.loads(done.stdout.strip().splitlines()[-1])
    wanted = {name: plain(case) for name, case in cases() if name in came}
    assert len(wanted) == 3
    assert came == json.loads(json.dumps(wanted))
