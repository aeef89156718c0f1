"""No regular expression takes more than in proportion to the text, whatever the text."""

from functools import cache

import pytest

from tests.patterns import Pattern, all_patterns, growth, texts_for


@cache
def patterns():
    """All of the product's, found when a test needs them: each process would parse all modules."""
    return sorted(set(all_patterns()), key=lambda each: (each.where, each.text))


def test_the_patterns_of_the_product_are_found():
    texts = {each.text for each in patterns()}
    assert len(patterns()) > 100
    assert {r"[A-Za-z0-9._:-]{1,64}", r"^[0-9]{6,8}$", r"\A[0-9]{4}\Z"} - texts <= {r"\A[0-9]{4}\Z"}


@pytest.mark.parametrize("text", [r"(a+)+$", r"(a|a)*b", r"\s+$", r"a*a*b", r"<([^<>]+@[^<>]+)>"])
def test_a_pattern_that_tries_everything_is_noticed(text):
    assert worst(Pattern(text, 0, "here", ("sub",)))


def worst(pattern):
    """Why a pattern is slow with one of the texts; empty when it is not."""
    for way in pattern.ways:
        for parts in texts_for(pattern.text, pattern.flags):
            if why := growth(pattern, way, parts):
                return f"{pattern.where} {pattern.text!r} {why}: {way}, {parts!r}"
    return ""


@pytest.mark.no_cover
def test_no_pattern_takes_more_than_in_proportion():
    assert "\n".join(filter(None, map(worst, patterns()))) == ""
