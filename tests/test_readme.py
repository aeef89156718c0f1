"""The README keeps its word: its tour is the one that runs, its table has every setting."""

import re

from config.launcher.guard import CHECKOUT
from config.openapi import story

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
# What programs tell each other, and nobody sets by hand.
BETWEEN_PROGRAMS = {"KITH_CALLER_DIRECTORY"}


def shell_blocks(text: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", text, re.DOTALL)


def test_the_tour_is_the_beginning_of_the_guide():
    """Whose lines `test_openapi` runs."""
    assert shell_blocks(README)
    tour = shell_blocks(README)
    assert tour
    assert tour == shell_blocks(story.told())[: len(tour)]


def test_every_setting_that_is_read_is_in_the_configuration_table():
    settings = (CHECKOUT / "config/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', settings))
    for path in (CHECKOUT / "config/launcher").glob("*.py"):
        read |= set(re.findall(r'"(KITH_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", README))
    assert read - BETWEEN_PROGRAMS <= documented


def test_every_setting_in_the_configuration_table_is_read():
    table = README.split("## Configuration")[1].split("## How it is built")[0]
    named = set(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)) - {"variable", "---"}
    variables = {name for cell in named for name in re.findall(r"`([A-Z_0-9]+)`", cell)}
    code = [CHECKOUT / "config/settings.py", CHECKOUT / "kith"]
    code += (CHECKOUT / "config/launcher").glob("*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in code)
    assert {name for name in variables if name not in text} == set()


def test_the_two_commands_are_shown():
    assert "./kith up" in README
    assert "./kith test" in README
