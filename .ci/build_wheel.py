"""Build dist/: the sdist, and the wheel from that sdist, which proves that it has all it needs.

On Linux, zig links against the symbols of an old C library, so that no container is wanted: glibc 2.17
(manylinux2014), or musl for `--target x86_64-unknown-linux-musl`. For a free-threaded interpreter, whose ABI
is not the stable one before Python 3.15, maturin makes a wheel of just that version.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from environments import CHECKOUT, run

DIST = CHECKOUT / "dist"
TARGET = CHECKOUT / "target"
UNPACKED = CHECKOUT / "build" / "sdist"


def main() -> None:
    """Build both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", help="the Rust target triple; by default this machine's own")
    target = parser.parse_args().target
    for old in [*DIST.glob("gradstep-*.whl"), *DIST.glob("gradstep-*.tar.gz")]:
        old.unlink()
    run(sys.executable, "-m", "maturin", "sdist", "--out", DIST, quiet=True)
    source = unpack(next(DIST.glob("gradstep-*.tar.gz")))
    options: list[str | Path] = [
        "--release",
        "--locked",
        "--quiet",
        "--compression-level",
        "9",
        "--out",
        DIST,
        "--interpreter",
        sys.executable,
    ]
    if target:
        options += ["--target", target]
    if sys.platform == "linux":
        options += [
            "--zig",
            "--compatibility",
            "musllinux_1_2" if "musl" in (target or "") else "manylinux2014",
        ]
    run(sys.executable, "-m", "maturin", "build", *options, cwd=source, env=environment(source))


def unpack(sdist: Path) -> Path:
    """Unpack the sdist, and return the folder that it makes."""
    shutil.rmtree(UNPACKED, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(UNPACKED, filter=without_time)
    (source,) = UNPACKED.iterdir()
    return source


def without_time(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Let the files have the time of unpacking: maturin's fixed date tells cargo that nothing has changed."""
    return tarfile.data_filter(member, path).replace(mtime=time.time(), deep=False)


def environment(source: Path) -> dict[str, str]:
    """Return the environment of the build: with zig, and with the building machine's paths replaced.

    Panic messages name source files. Whose home directory they were in is nobody's business, and would make
    the same sources give another wheel on another machine.
    """
    env = dict(os.environ)
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    env["VIRTUAL_ENV"] = sys.prefix
    env["CARGO_TARGET_DIR"] = str(TARGET)
    cargo_home = env.get("CARGO_HOME") or Path.home() / ".cargo"
    sysroot = subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip()
    names = {TARGET: "target", source: source.name, cargo_home: "cargo", sysroot: "rust"}
    flags = env.pop("RUSTFLAGS", "").split()
    flags += [f"--remap-path-prefix={path}={name}" for path, name in names.items()]
    env["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
    return env


if __name__ == "__main__":
    main()
