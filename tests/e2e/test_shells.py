"""Completion scripts in the shells they are for, and the manual's pages under two readers of manuals."""

import re
import shutil
import subprocess

import pytest

from project import PROGRAM

# What a command's name may be followed by, wherever a shell stands behind it.
KINDS = "human json".split()


def subcommands(*path):
    """The names of a command's subcommands, as its help lists them."""
    shown = subprocess.run([PROGRAM, *path, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    listed = re.search(r"^Commands:\n((?:  .*\n|\n)+)", shown, re.MULTILINE)
    return re.findall(r"^  ([a-z]+) ", listed[1], re.MULTILINE) if listed else []


def script(shell, tmp_path):
    path = tmp_path / ("_campaignd" if shell == "zsh" else f"campaignd.{shell}")
    path.write_bytes(subprocess.run([PROGRAM, "completions", shell], capture_output=True, timeout=60, check=True).stdout)
    return path


def in_bash(path, words):
    """What bash would offer for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    code = f"""
        source {path}
        COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
        rule="$(complete -p campaignd)"; [[ $rule =~ -F\\ ([^ ]+) ]]
        "${{BASH_REMATCH[1]}}" campaignd "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout.split()


def in_fish(path, words):
    """What fish would offer."""
    line = " ".join(words)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {path}; complete --do-complete '{line}'"], capture_output=True, text=True, timeout=60, check=True)
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def in_zsh(path, words):
    """What zsh would offer: in a terminal of its own, with its completion told to print what it adds."""
    code = f"""
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell 'PS1= ; fpath=({path.parent} $fpath); autoload -Uz compinit; compinit -u -D'
        zpty -w shell 'function compadd {{
            if [[ "$*" != *-[OAD]\\ * ]]; then local -a found; builtin compadd -O found "$@"; print -l -- "<${{^found[@]}}>"; fi
            builtin compadd "$@"
        }}'
        zpty -w shell 'bindkey "^I" complete-word; print ready'
        zpty -r -m shell line '*ready*ready*'
        zpty -n -w shell '{" ".join(words)}'$'\\t'
        zpty -n -w shell $'\\C-uprint the-end\\n'
        zpty -r -m shell line '*the-end*the-end*'
        print -r -- "$line"
    """
    # What is typed ahead while it is still completing makes it stop: on a busy machine it has to be asked again.
    for _ in range(20):
        done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True, timeout=60, check=True)
        if offered := re.findall(r"<([^<>\s]+)>", done.stdout):
            return offered
    return []


OFFERS = {"bash": in_bash, "fish": in_fish, "zsh": in_zsh}


@pytest.mark.parametrize("shell", OFFERS)
def test_completions(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not there")
    path = script(shell, tmp_path)
    offer = OFFERS[shell]
    names = subcommands()
    assert len(names) > 20 and "validate" in names
    assert set(names) <= set(offer(path, ["campaignd", ""]))
    assert {"validate"} == set(offer(path, ["campaignd", "vali"]))
    assert {"list", "add", "remove", "count"} <= set(offer(path, ["campaignd", "segment", ""]))
    assert set(KINDS) <= set(offer(path, ["campaignd", "status", "--format", ""]))
    assert "--deny-warnings" in offer(path, ["campaignd", "validate", "--de"])


def test_a_page_for_each_command(tmp_path):
    subprocess.run([PROGRAM, "man", "--out", tmp_path / "man"], stdin=subprocess.DEVNULL, timeout=60, check=True)
    expected = {"campaignd.1"}
    for name in subcommands():
        expected.add(f"campaignd-{name}.1")
        expected |= {f"campaignd-{name}-{inner}.1" for inner in subcommands(name) if inner != "help"}
    written = {path.name for path in (tmp_path / "man").iterdir()}
    assert written == expected
    whole = subprocess.run([PROGRAM, "man"], capture_output=True, timeout=60, check=True).stdout
    assert whole == (tmp_path / "man/campaignd.1").read_bytes()


@pytest.mark.parametrize("reader", [["man", "--warnings", "-l"], ["mandoc", "-Tlint", "-Wwarning"]], ids=lambda reader: reader[0])
def test_pages_are_clean(reader, tmp_path):
    if not shutil.which(reader[0]):
        pytest.skip(f"{reader[0]} is not there")
    subprocess.run([PROGRAM, "man", "--out", tmp_path / "man"], stdin=subprocess.DEVNULL, timeout=60, check=True)
    for path in sorted((tmp_path / "man").iterdir()):
        done = subprocess.run([*reader, path], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        wrong = done.stdout if reader[0] == "mandoc" else done.stderr
        assert done.returncode == 0 and wrong == "", f"{path.name}: {wrong}"
