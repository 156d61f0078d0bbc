"""What is checked, and how: one session a concern.

With nothing but Python, ``python3 noxfile.py`` makes an environment for nox and runs it there;
its arguments are nox's own. Whoever has nox runs ``nox``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent
NOX = "nox[uv]>=2026.10"


def run_in_own_environment() -> int:
    """Run nox with this process's arguments, in an environment that is made for it if need be."""
    if sys.version_info < (3, 11):  # noqa: UP036 - anything may run this file as a script
        sys.exit(f"noxfile.py: this is Python {sys.version.split()[0]}, and 3.11 is the oldest")
    arguments = sys.argv[1:]
    where = arguments[arguments.index("--envdir") + 1] if "--envdir" in arguments else ROOT / ".nox"
    home = Path(where).resolve() / "runner"
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    if shutil.which("nox", path=programs) is None:
        make_environment(home, programs)
    command = [str(programs / "nox"), "--noxfile", __file__, *arguments]
    return subprocess.call(command, env=os.environ | uv_settings(programs))


def make_environment(home: Path, programs: Path) -> None:
    """Make a virtual environment with nox in it, by whatever this Python has for that."""
    import venv  # noqa: PLC0415 - nox's own runs of this file need it not

    print(f"noxfile.py: making an environment for nox in {home}", flush=True)
    outer_pip = find_spec("pip") is not None
    if not outer_pip and find_spec("ensurepip") is None:
        sys.exit(
            f"noxfile.py: {sys.executable} has neither pip nor ensurepip; "
            "install pip (on Debian and Ubuntu: apt install python3-pip) and run this again"
        )
    venv.create(home, clear=True, symlinks=os.name != "nt", with_pip=not outer_pip)
    python = str(programs / "python")
    pip = [sys.executable, "-m", "pip", "--python", python] if outer_pip else [python, "-m", "pip"]
    if subprocess.call([*pip, "install", "--quiet", "--disable-pip-version-check", NOX]) != 0:
        shutil.rmtree(home)
        sys.exit(f"noxfile.py: {NOX} could not be installed; see above")


def uv_settings(programs: Path) -> dict[str, str]:
    """Return the package index that pip was told to use, in uv's words: uv reads no pip.conf."""
    pip = [sys.executable] if find_spec("pip") is not None else [str(programs / "python")]
    names = {"global.index-url": "UV_DEFAULT_INDEX", "global.cert": "SSL_CERT_FILE"}
    settings = {}
    for name, variable in names.items():
        asked = subprocess.run(
            [*pip, "-m", "pip", "config", "get", name],
            capture_output=True,
            check=False,
            text=True,
        )
        if asked.returncode == 0 and variable not in os.environ:
            settings[variable] = asked.stdout.strip()
    return settings


if __name__ == "__main__":
    sys.exit(run_in_own_environment())

import nox  # noqa: E402 - there is none before the lines above have seen to it

PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)

nox.needs_version = NOX.removeprefix("nox[uv]")
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # they are named in the closing lines


@cache
def interpreter(version: str) -> Path | None:
    """Return an interpreter of that version that really runs.

    A ``pythonX.Y`` on the PATH may be a shim of pyenv's that only tells where it would be found,
    so each is tried; pyenv's and uv's own directories are looked into also.
    """
    name = f"python{version}"
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path.home() / ".local" / "share" / "uv" / "python"
    folders += [*sorted(pyenv.glob(f"{version}*/bin")), *sorted(uv.glob(f"*-{version}*/bin"))]
    says = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in (folder / name for folder in folders):
        if os.access(candidate, os.X_OK):
            ran = subprocess.run(
                [candidate, "-c", says], capture_output=True, check=False, text=True
            )
            if ran.stdout.strip() == version:
                return candidate
    return None


CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
PRESENT = [version for version in PYTHONS if version == CURRENT or interpreter(version)]
ABSENT = [version for version in PYTHONS if version not in PRESENT]
# nox finds a Python by the PATH; ours come last, so that they hide nothing.
os.environ["PATH"] = os.pathsep.join(
    [os.environ.get("PATH", os.defpath)]
    + [str(found.parent) for version in PRESENT if (found := interpreter(version))]
)


# The unit tests run once on each Python. On this one, where the integration tests run on httpx,
# they run on httpx2; and on httpx too, where there is no other Python.
nox.options.sessions = [
    *("lint", "types", "imports", "docs"),
    *([f"tests-{one}" for one in PYTHONS if one != CURRENT] if len(PRESENT) > 1 else ["tests"]),
    *("httpx2", "integration", "plugin", "demo", "coverage"),
]


#: What takes long, and tells nothing of one Python that it does not of another.
THE_SAME_ON_EACH = ("--ignore=tests/leaks/test_commands.py", "--ignore=tests/test_benchmarks.py")


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group."""
    return nox.project.dependency_groups(PROJECT, name)


def install_wheel(session: nox.Session, *names: str) -> None:
    """Install the wheel that `build` made, with these dependency groups.

    The repository goes to the end of the path, for ``tests`` and ``fixtures``: ``gqlauth`` is
    then the installed one, and not the folder here.
    """
    (wheel,) = (session.cache_dir / "dist").glob("*.whl")
    requirements = [requirement for name in names for requirement in group(name)]
    # Compiled at once, as pip does it: many tests start processes, which would each compile all.
    session.install(str(wheel), *requirements, env={"UV_COMPILE_BYTECODE": "1"})
    repository = site_packages(session) / "repository.pth"
    repository.write_text(f"{ROOT}\n", encoding="utf-8")
    session.run("python", "-P", "-c", "import gqlauth; assert 'site-packages' in gqlauth.__file__")


def site_packages(session: nox.Session) -> Path:
    """Return the folder that a session's packages are in."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    told = session.run("python", "-P", "-c", where, silent=True, log=False)
    return Path(str(told).strip())


def run_pytest(session: nox.Session, *arguments: str, measured: bool = True) -> None:
    """Run pytest; what it covered, and its subprocesses, is kept for the `coverage` session."""
    run = ["python", "-P", "-W", "error", "-m"]
    environment = {}
    if measured:
        kept = session.cache_dir / "coverage"
        kept.mkdir(exist_ok=True)
        for old in kept.glob(f".coverage.{session.name}.*"):
            old.unlink()
        run += ["coverage", "run", "-m"]
        environment = {"COVERAGE_FILE": str(kept / f".coverage.{session.name}")}
    pytest = ("pytest", "--override-ini", "pythonpath=", *arguments, *session.posargs)
    session.run(*run, *pytest, env=environment)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting; ``nox -s lint -- --fix`` mends what can be mended."""
    session.install(*group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of everything that is Python here, and by pyright what users write."""
    session.install("--editable", ".", *group("types"))
    session.run("mypy", *session.posargs)
    session.run("pyright", env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


@nox.session
def imports(session: nox.Session) -> None:
    """Check that no module imports one of a floor above its own."""
    session.install("--editable", ".", *group("imports"))
    session.run("lint-imports", "--no-cache")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; a broken link fails."""
    session.install(*group("docs"))
    session.run("zensical", "build", "--clean", "--strict")


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build the source distribution, and from it the wheel that the other sessions install."""
    dist = session.cache_dir / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install("build", *PROJECT["build-system"]["requires"])
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist))


@nox.session(python=PYTHONS if PRESENT else CURRENT, requires=["build"])
def tests(session: nox.Session) -> None:
    """Run the unit tests on the wheel; what follows ``--`` goes to pytest."""
    install_wheel(session, "tests")
    # What each Python covers is the same: that is measured by the two sessions below.
    left = () if session.posargs or session.python == CURRENT else THE_SAME_ON_EACH
    run_pytest(session, "--numprocesses", "auto", "--dist", "worksteal", *left, measured=False)


@nox.session(requires=["build"])
def httpx2(session: nox.Session) -> None:
    """Run the unit tests where httpx2 is installed, and no httpx."""
    install_wheel(session, "tests")
    for name in ("httpx", "httpcore"):
        shutil.rmtree(site_packages(session) / name)
    run_pytest(session, "--numprocesses", "auto", "--dist", "worksteal")


@nox.session(requires=["build"])
def integration(session: nox.Session) -> None:
    """Run the tests that speak to real servers over TCP."""
    install_wheel(session, "integration")
    # By file, so that each server is started once, or twice; and one more than there are
    # processors, as most of it waits.
    processes = str((os.cpu_count() or 1) + 1)
    run_pytest(session, "--numprocesses", processes, "--dist", "loadfile", "tests/integration")


@nox.session(requires=["build"])
def plugin(session: nox.Session) -> None:
    """Install the plugin that is the example of one, beside gqlauth, and run its tests."""
    example = ROOT / "examples" / "plugin"
    tools = nox.project.dependency_groups(
        nox.project.load_toml(example / "pyproject.toml"), "tests"
    )
    (wheel,) = (session.cache_dir / "dist").glob("*.whl")
    session.install(str(wheel), str(example), *tools)
    session.run("gql", "auth", "types")
    session.chdir(example)
    # By its own settings, and not the repository's; and on what is installed, not what lies here.
    own = (
        "--config-file",
        "pyproject.toml",
        "--import-mode",
        "importlib",
        "-p",
        "no:cacheprovider",
    )
    session.run("python", "-P", "-W", "error", "-m", "pytest", *own)


@nox.session(requires=["build"])
def demo(session: nox.Session) -> None:
    """Start real servers, and show what gqlauth does with them."""
    install_wheel(session, "demo")
    session.run("python", "-P", "fixtures/demo", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Join what the unit and the integration tests covered: every line, and every branch."""
    session.install("coverage")
    kept = session.cache_dir / "coverage"
    joined = {"COVERAGE_FILE": str(kept / ".coverage")}
    session.run("coverage", "combine", "--keep", str(kept), env=joined, silent=True)
    tell_what_is_left_out()
    session.run("coverage", "report", env=joined)


def tell_what_is_left_out() -> None:
    """Print each line that coverage is told to pass over, and the Pythons that nothing ran on."""
    lines = [
        f"  {path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("gqlauth", "strategies")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"#\s*pragma: no (cover|branch)", line)
    ]
    print(f"Passed over by coverage: {len(lines)}", *lines, sep="\n", flush=True)
    print(f"Pythons that are not here: {', '.join(ABSENT) or 'none'}", flush=True)


@nox.session(default=False, requires=["build"])
def bench(session: nox.Session) -> None:
    """Measure what gqlauth costs, side by side with its peers; ``-- --only NAME``, ``--quick``."""
    install_wheel(session, "bench")
    session.run("python", "-P", "benchmarks", *session.posargs)
