"""The demo: a month of the shipped campaigns, with mails that can be read."""

import email
import email.policy
import re
import subprocess

from project import PROGRAM

WORKFLOWS = ("birthday", "cart-recovery", "newsletter", "welcome", "win-back")


def demo(*arguments, within=120):
    return subprocess.run(
        [PROGRAM, "demo", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within, check=False
    )


def test_a_fortnight_fills_an_outbox_and_ends_with_a_funnel_for_each_campaign(tmp_path):
    out = tmp_path / "demo"
    done = demo("--days", "14", "--speed", "1d/s", "--out", str(out))
    assert done.returncode == 0, done.stderr
    funnels = {part.splitlines()[0]: part for part in done.stdout.split("\n\n") if "  entered" in part}
    assert tuple(sorted(funnels)) == WORKFLOWS
    for name, funnel in funnels.items():
        assert int(re.search(r"entered +(\d+)", funnel).group(1)) > 0, name
    count = int(re.search(r"^(\d+) mails: ", done.stdout, re.MULTILINE).group(1))
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in (out / "outbox").rglob("*.eml")]
    assert len(mails) == count > 500
    assert len({mail["Message-ID"] for mail in mails}) == count
    for mail in mails:
        assert mail["Subject"] and mail["To"] and mail["Date"]
        assert mail["List-Unsubscribe"] and mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        html = mail.get_body(("html",)).get_content()
        text = mail.get_body(("plain",)).get_content()
        for part in (html, text):
            assert "{{" not in part
            assert "https://mail.shop.example/u/" in part
        assert re.search('<html lang="(en|de)"', html) and html.count("<h1") == 1
        # What a mail looks like on a small screen is up to its own widths.
        assert not re.search(r'width="?(6[1-9]\d|[7-9]\d\d|\d{4,})', html)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = demo("--out", str(tmp_path))
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_speed_that_makes_no_sense_is_refused():
    done = demo("--speed", "fast")
    assert done.returncode == 2
    assert "1d/s" in done.stderr
