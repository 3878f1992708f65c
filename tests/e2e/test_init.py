"""A new project: that it validates, tests and runs as it is, that editors find its schemas, and that nothing half-made is left."""

import email
import email.policy
import json
import pathlib
import re
import subprocess

import pytest

from project import PROGRAM, Project, eventually


def init(folder, *more, **options):
    return subprocess.run(
        [PROGRAM, "init", folder, *more],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, **options,
    )


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file())


@pytest.fixture
def made(tmp_path):
    """A project as `init` makes it, on a port of its own."""
    folder = tmp_path / "spring-shop"
    done = init(folder)
    assert done.returncode == 0, done.stderr
    project = Project(tmp_path / "unused")
    project.folder = folder
    settings = folder / "campaignd.yaml"
    settings.write_text(settings.read_text().replace("127.0.0.1:8420", f"127.0.0.1:{project.http}"))
    yield project
    project.end()


def test_validates_tests_and_runs(made):
    assert made.succeed("validate", "--deny-warnings") == "no problems\n"
    made.succeed("test")

    runner = made.start()
    readme = (made.folder / "README.md").read_text()
    # The commands of its README, as somebody would paste them.
    pasted = re.findall(r"^    (curl (?:.*\\\n)*.*)$", readme, re.MULTILINE)
    assert len(pasted) == 2
    for command in pasted:
        command = command.replace("127.0.0.1:8420", f"127.0.0.1:{made.http}").replace("curl ", "curl --silent --fail ")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, '{"success":true}'), done.stderr

    [path] = eventually(lambda: list((made.folder / "outbox").glob("*.eml")), "a mail is in the outbox")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert (mail["Subject"], mail["To"], mail["From"]) == ("Welcome, Ada", "ada@example.com", "spring-shop <hello@shop.example>")
    for kind in ("plain", "html"):
        assert "Hello Ada" in mail.get_body((kind,)).get_content()
    # The links in it work, as it is.
    [unsubscribe] = re.findall(r"Unsubscribe: http://127\.0\.0\.1:\d+(\S+)", mail.get_body(("plain",)).get_content())
    assert "<form" in made.get(unsubscribe)
    assert made.stop(runner) == 0


@pytest.mark.parametrize("ci, more", [
    (None, []),
    ("github", [".github/actions/campaignd/action.yml", ".github/workflows/campaignd.yml"]),
    ("gitlab", [".gitlab-ci.yml", ".gitlab/campaignd.gitlab-ci.yml"]),
])
def test_files(tmp_path, ci, more):
    done = init(tmp_path / "shop", *(["--ci", ci] if ci else []))
    assert done.returncode == 0, done.stderr
    found = tree(tmp_path / "shop")
    assert [path for path in found if path.startswith((".git", "campaignd")) and path != ".gitignore"] == [*more, "campaignd.yaml"]
    assert f"{len(found)} files" in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "shop"]
    # Nothing that a placeholder should have gone into is left over.
    for path in found:
        if not path.startswith(".git"):
            assert "PROJECT" not in (tmp_path / "shop" / path).read_text(), path


def test_editors_find_the_schemas(made):
    fresh = json.loads(subprocess.run([PROGRAM, "schema"], capture_output=True, text=True, timeout=60, check=True).stdout)
    for name, schema in fresh.items():
        assert json.loads((made.folder / f"schemas/{name}.schema.json").read_text()) == schema
    for path, patterns in json.loads((made.folder / ".vscode/settings.json").read_text())["yaml.schemas"].items():
        assert (made.folder / path).is_file()
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if pattern.endswith(".yaml"):
                assert list(made.folder.glob(pattern.lstrip("/"))), pattern
    for path in made.folder.rglob("*.yaml"):
        if path.name.startswith("."):
            continue
        [schema] = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text(), re.MULTILINE)
        assert (path.parent / schema).is_file(), path


def test_in_a_folder_with_git_in_it(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path / "repository"], check=True, timeout=60)
    (tmp_path / "repository/.gitignore").write_text("mine\n")
    done = init(".", cwd=tmp_path / "repository")
    assert done.returncode == 0
    assert done.stderr == ".gitignore was there already, and stays as it is\n"
    assert (tmp_path / "repository/.gitignore").read_text() == "mine\n"
    assert "project: \"repository\"" in (tmp_path / "repository/campaignd.yaml").read_text()


def test_refuses_what_is_not_empty(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    done = init(tmp_path)
    assert done.returncode == 2 and "is not empty (it has letter.txt)" in done.stderr
    assert tree(tmp_path) == ["letter.txt"]
    # A second time, too.
    assert init(tmp_path / "shop").returncode == 0
    before = tree(tmp_path)
    assert init(tmp_path / "shop").returncode == 2
    assert tree(tmp_path) == before


@pytest.mark.parametrize("existing", [False, True])
def test_leaves_nothing_when_the_disk_is_full(tmp_path, existing):
    """No file may grow over 2 KiB, as on a disk that is full: the schemas are larger."""
    folder = tmp_path / "shop"
    if existing:
        (folder / ".git").mkdir(parents=True)
    done = subprocess.run(
        ["bash", "-c", 'trap "" XFSZ; ulimit -f 2; exec "$0" init "$1"', PROGRAM, folder],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 2 and "nothing was left behind" in done.stderr, done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == (["shop", ".git"] if existing else [])
