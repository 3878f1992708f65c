"""The tutorial, word for word: its commands are typed into a shell, its patches applied, and what is printed is compared with what it shows.

In what it shows, `…` stands for anything within a line, and a line of nothing but `…` for any number of lines. To write the outputs anew after a change:

    CAMPAIGND=... python tests/e2e/test_tutorial.py > docs/tutorial.md.new
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import ci
from project import PROGRAM, ROOT, free_port

TUTORIAL = ROOT / "docs/tutorial.md"
FENCE = re.compile(r"^(`{3,})(console|diff)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
SHIPPED = ["campaignd.yaml", "workflows", "templates", "schemas", "tests"]


class Shell:
    """A shell that a person types into, one command after the other."""

    def __init__(self, folder):
        self.port = str(free_port())
        source = folder / "source"
        source.mkdir()
        for name in SHIPPED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("e2e", "fuzz", "run"))
            else:
                (source / name).write_text((ROOT / name).read_text().replace("8420", self.port))
        (source / ".gitignore").write_text("/state/\n/outbox/\n")
        ci.git(source, "init", "--quiet", "--initial-branch=main")
        ci.git(source, "add", "--all")
        ci.git(source, "commit", "--quiet", "--message", "The shop")
        environment = ci.with_campaignd(folder) | {"CAMPAIGND_SOURCE": str(source), "NO_COLOR": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
        work = folder / "work"
        work.mkdir()
        self.bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=work, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def type(self, command):
        """What a command prints."""
        command = command.replace("8420", self.port)
        self.bash.stdin.write(f"{command}\nprintf '\\n%s\\n' the-end\n")
        self.bash.stdin.flush()
        lines = []
        while not (lines[-1:] == ["the-end\n"]):
            line = self.bash.stdout.readline()
            assert line, "the shell has ended"
            lines.append(line)
        text = "".join(lines[:-1]).removesuffix("\n")
        # Job numbers of what runs in the background are the shell's, not the command's.
        return re.sub(r"^\[\d+\]\+? .*\n?", "", text, flags=re.MULTILINE).replace(self.port, "8420")

    def patch(self, diff):
        done = self.type(f"git apply --recount --unidiff-zero - <<'END-OF-PATCH'\n{diff}END-OF-PATCH") if diff else ""
        assert done == "", done

    def end(self):
        self.bash.stdin.write("kill %1 2>/dev/null; exit\n")
        self.bash.stdin.close()
        self.bash.wait(timeout=30)


def commands(block):
    """The commands of a block, each with what is shown below it."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1].append(line)
    return [(command, "".join(line + "\n" for line in shown)) for command, shown in found]


def pattern(shown):
    """What the shown output allows, as a regular expression."""
    lines = ["(?:.*\n)*?" if line == "…" else ".*?".join(re.escape(part) for part in line.split("…")) + "\n" for line in shown.splitlines()]
    return re.compile("".join(lines))


def test_word_for_word(tmp_path):
    shell = Shell(tmp_path)
    try:
        typed = 0
        for _, kind, block in FENCE.findall(TUTORIAL.read_text()):
            if kind == "diff":
                shell.patch(block)
                continue
            for command, shown in commands(block):
                typed += 1
                printed = shell.type(command)
                # Lines do not end in spaces in the document.
                printed = re.sub(r" +$", "", printed, flags=re.MULTILINE)
                assert pattern(shown).fullmatch(printed), f"$ {command}\n--- shown\n{shown}--- printed\n{printed}"
        assert typed > 20
    finally:
        shell.end()


# What differs from one time to the next.
CHANGING = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)", "…"),
    (r"\b[0-9a-f]{12,64}\b", "…"),
    (r"\bin \d+(\.\d+)? m?s\b", "in …"),
]


def written_anew():
    """The tutorial with what the program prints now."""
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(pathlib.Path(folder))

        def anew(found):
            fence, kind, block = found.groups()
            if kind == "diff":
                shell.patch(block)
                return found[0]
            lines = []
            for command, _ in commands(block):
                printed = re.sub(r" +$", "", shell.type(command), flags=re.MULTILINE)
                for changing, shown in CHANGING:
                    printed = re.sub(changing, shown, printed)
                lines.append("$ " + command.replace("\n", "\n> ") + "\n" + printed)
            return f"{fence}console\n{''.join(lines)}{fence}"

        try:
            return FENCE.sub(anew, TUTORIAL.read_text())
        finally:
            shell.end()


if __name__ == "__main__":
    assert os.access(PROGRAM, os.X_OK), f"there is no {PROGRAM}"
    sys.stdout.write(written_anew())
