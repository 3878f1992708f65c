"""The service unit in docs/operations.md is as closed as it says."""

import re
import shutil
import signal
import subprocess
import textwrap

import pytest

from project import ROOT


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_unit_is_closed(tmp_path):
    text = (ROOT / "docs/operations.md").read_text()
    unit = re.search(r"^    # /etc/systemd.*?WantedBy=.*?$", text, re.MULTILINE | re.DOTALL).group()
    file = tmp_path / "campaignd.service"
    file.write_text(textwrap.dedent(unit) + "\n")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )
    exposure = float(re.search(r"exposure level for campaignd.service: ([\d.]+)", done.stdout).group(1))
    assert exposure <= 2.0


def test_who_is_ready_hears_signals(project):
    """Whoever is told that the runner is ready may reload or stop it in the same moment; both used to kill it."""
    project.settings()
    for _ in range(20):
        runner = project.start()
        runner.send_signal(signal.SIGHUP)
        assert project.stop(runner) == 0
