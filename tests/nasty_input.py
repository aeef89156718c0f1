"""What nobody should send: bodies, values, parameters, segments of paths, and headers.

A body is sent as it stands here; a value takes the place of one in a documented example.
"""

import gzip
import json
from typing import Any, NamedTuple

JSON = "application/json"
MEGABYTE = 1 << 20


class Body(NamedTuple):
    """A body that no call takes, and the statuses with which it may be refused."""

    content: bytes
    kind: str = JSON
    encoding: str = ""
    statuses: tuple[int, ...] = (400,)


def deep(opening: str, closing: str, levels: int) -> bytes:
    """A body that is nested so many levels deep."""
    return (opening * levels + "1" + closing * levels).encode()


def multipart(name: str, content: bytes) -> bytes:
    """A form with one file in it."""
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


BODIES = {
    # No JSON.
    "nothing but a blank": Body(b" "),
    "NUL": Body(b"\0"),
    "NUL behind an object": Body(b"{}\0"),
    "a word": Body(b"undefined"),
    "half an object": Body(b'{"a":'),
    "an object too many": Body(b"{}{}"),
    "a comma too many": Body(b'{"a":1,}'),
    "single quotation marks": Body(b"{'a':1}"),
    "a quotation mark too few": Body(b'{"a":"b}'),
    "a comment": Body(b"{/* a */}"),
    "a line break in a text": Body(b'{"a":"\n"}'),
    "a NUL in a text": Body(b'{"a":"\0"}'),
    "NaN": Body(b'{"a":NaN}'),
    "Infinity": Body(b'{"a":-Infinity}'),
    "a number with a zero in front": Body(b'{"a":01}'),
    "a hexadecimal number": Body(b'{"a":0x1}'),
    "an escape that is none": Body(b'{"a":"\\x41"}'),
    "a lone high surrogate": Body(b'{"a":"\\ud800"}'),
    "a lone low surrogate": Body(b'{"a":"\\udc00b"}'),
    "surrogates the wrong way round": Body(b'{"\\udc00\\ud800":1}'),
    "XML": Body(
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    ),
    "YAML": Body(b"a: !!python/object/apply:os.system ['true']"),
    "a pickle": Body(b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00."),
    # No UTF-8.
    "a byte of Latin-1": Body(b'{"a":"\xe9"}'),
    "an overlong slash": Body(b'{"a":"\xc0\xaf"}'),
    "an overlong NUL": Body(b'{"a":"\xc0\x80"}'),
    "a surrogate in UTF-8": Body(b'{"a":"\xed\xa0\x80"}'),
    "beyond Unicode": Body(b'{"a":"\xf4\x90\x80\x80"}'),
    "cut off within a character": Body(b'{"a":"\xe2\x82'),
    "UTF-16 with a mark": Body('{"a":1}'.encode("utf-16")),
    "UTF-16 without one": Body('{"a":1}'.encode("utf-16-le")),
    "UTF-32": Body('{"a":1}'.encode("utf-32")),
    "UTF-7": Body(b"+AHsAIgBhACIAOgAxAH0-"),
    "two marks": Body(b"\xef\xbb\xbf\xef\xbb\xbf{}"),
    # No object.
    "an array": Body(b"[]"),
    "an array of objects": Body(b"[{}]"),
    "null": Body(b"null"),
    "true": Body(b"true"),
    "a text": Body(b'"a"'),
    "a number": Body(b"0"),
    "a number of a thousand digits": Body(b"9" * 1000),
    "an exponent beyond all": Body(b"1e99999"),
    "arrays 1,000 deep": Body(deep("[", "]", 1000)),
    "objects 1,000 deep": Body(deep('{"a":', "}", 1000)),
    "arrays 100,000 deep": Body(deep("[", "]", 100_000)),
    "brackets that do not end": Body(b"[" * 200_000),
    "a member of 100 kB": Body(json.dumps({"a" * 100_000: {"b": [[[[1]]]]}}).encode() + b"x"),
    # Too much.
    "10 MB of blanks": Body(b" " * 10 * MEGABYTE, statuses=(413,)),
    "10 MB of a text": Body(b'{"a":"' + b"a" * 10 * MEGABYTE + b'"}', statuses=(413,)),
    # Compressed, or said to be.
    "no gzip": Body(b"{}", encoding="gzip", statuses=(400,)),
    "half a gzip": Body(gzip.compress(b"{}" * 99, mtime=0)[:-9], encoding="gzip"),
    "a gzip with a wrong checksum": Body(
        gzip.compress(b"{}", mtime=0)[:-8] + bytes(8), encoding="gzip"
    ),
    "junk behind a gzip": Body(gzip.compress(b"{}", mtime=0) + b"junk", encoding="gzip"),
    "gzip within gzip": Body(
        gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), encoding="gzip"
    ),
    "a bomb": Body(gzip.compress(b" " * 60 * MEGABYTE), encoding="gzip", statuses=(413,)),
    "a bomb of many members": Body(
        gzip.compress(b" " * MEGABYTE) * 60, encoding="gzip", statuses=(413,)
    ),
    "gzip that is not said": Body(gzip.compress(b"{}", mtime=0)),
    "another compression": Body(b"{}", encoding="br", statuses=(415,)),
    "two compressions": Body(b"{}", encoding="gzip, gzip", statuses=(415,)),
    # Of another type.
    "no type": Body(b"{}", kind="", statuses=(415,)),
    "a type that is none": Body(b"{}", kind="\xff/;;=", statuses=(415,)),
    "plain text": Body(b"{}", kind="text/plain", statuses=(415,)),
    "XML by its type": Body(b"<a/>", kind="application/xml", statuses=(415,)),
    "a form": Body(b"a=1&b=%00", kind="application/x-www-form-urlencoded", statuses=(415,)),
    "another charset": Body(b"{}", kind="application/json; charset=utf-16", statuses=(415,)),
    "a form with a file": Body(
        multipart("../../a\0.csv", b"{}"), kind="multipart/form-data; boundary=x", statuses=(415,)
    ),
    "a form without a boundary": Body(b"--x", kind="multipart/form-data", statuses=(415,)),
    "a form that does not end": Body(
        multipart("a", b"")[:30], kind="multipart/form-data; boundary=x", statuses=(415,)
    ),
}

LONG = 70_000
# Texts in place of any other: what a text may not have, and what means something elsewhere.
TEXTS = {
    "NUL": "a\0b",
    "controls": "\x01\x02\x1b[2J\x7f\x85",
    "line breaks": "a\r\nX-Injected: yes\r\n\r\n{}",
    "zero width": "\u200b\u200d\ufeff",
    "right to left": "a\u202eb\u2066c",
    "noncharacters": "\uffff\ufdd0",
    "beyond the first plane": "\U0001f600\U0010ffff",
    "marks without end": "a" + "\u0301" * 500,
    "one letter that becomes eighteen": "\ufdfa" * 40,
    "blanks of all kinds": "\u00a0\u2003\u3000\u1680",
    "long": "a" * LONG,
    "one letter": "\u0130",
    "year 0": "0000-01-01",
    "year 99999": "99999-12-31T00:00:00Z",
    "day 30 of February": "2024-02-30",
    "an offset beyond a day": "2024-01-01T00:00:00+99:99",
    "a leap second": "2016-12-31T23:59:60Z",
    "a number": "1e400",
    "digits of elsewhere": "\u0661\u0662\u0663",
    "SQL": "'; DROP TABLE customers_customer; --",
    "LIKE": "%_\\%",
    "a format": "%s%(a)s{0}{a.__class__}${jndi:ldap://a}",
    "a template": "{{ 7*7 }}{% debug %}<%= 7*7 %>",
    "markup": "<script>alert(1)</script>&lt;]]>",
    "a formula": '=HYPERLINK("http://a")',
    "a path": "../../../../etc/passwd\0.csv",
    "a card number": "4111 1111 1111 1111",
    "COPY": "\\.\n\\N\t\\x00",
}
# Values in place of any other.
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "minus one": -1,
    "a large number": 10**18,
    "a larger number": 10**30,
    "a fraction": 1.5e-300,
    "an array": [],
    "an array of null": [None],
    "an array of arrays": [[[]]],
    "many": [{}] * 2000,
    "an object": {},
    "an object with an empty name": {"": ""},
    "objects 60 deep": json.loads(deep('{"a":', "}", 60)),
    "a name that is one of Python's": {"__proto__": {"a": 1}, "constructor": 1, "__class__": 1},
    **TEXTS,
}
# Of an address, as they are encoded there: NUL, no UTF-8, overlong, a surrogate, half an escape.
ENCODED = [
    *(
        "%00",
        "a%00b",
        "%ff",
        "%c0%80",
        "%ed%a0%80",
        "%",
        "%zz",
        "%u0041",
        "%0d%0aX-Injected:%20yes",
    ),
    *("%2e%2e%2f", "..%5c..", "%e2%80%ae", "%ef%bf%bf", "%f0%9f%98%80", "+", "%20", "%27%3b--"),
    *("-1", "0", "1e5", "99999999999999999999", "9" * 500, "NaN", "true", "null", "[]", "%7b%7d"),
    *("0000-00-00", "99999-01-01", "%5b2024-13-01T00:00:00Z,%5d", "%d9%a1", "a," * 300, "*" * 50),
    *("%25%25%5f", "%5c", "%22", "%3cscript%3e", "%7b%7b7*7%7d%7d", "%28%28%28"),
]
# Of a header, as a server hands them on: bytes of Latin-1, without line breaks. What tells of the
# length of a body is not handed on, unless it is true.
HEADER_TEXTS = [
    *("", " ", "\x00", "a\x00b", "\xff\xfe", "\xe2\x80\xae", "*", "a" * 9000, ",,,;;==", '"', "W/"),
    *(
        "-1",
        "99999999999999999999",
        "1e5",
        "\x1b[31m",
        "%0d%0a",
        "é",
        "() { :; }; true",
        "\t",
        "q=2",
    ),
]
HEADERS = (
    *("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie"),
    *("Content-Encoding", "Content-Type", "Date", "Expect", "Forwarded", "Host"),
    *("Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "Origin"),
    *("If-Unmodified-Since", "Range", "Referer", "Traceparent", "Tracestate"),
    *("User-Agent", "X-CDLX-Request-Id", "X-CDLX-Session-Token", "X-Egain-Error-Message"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override"),
    *("X-Request-Id",),
)


def check(answer: Any, what: object) -> None:
    """Fail where an answer tells of a fault of ours: an error, or a check that was not made."""
    content = b"" if answer.streaming else answer.content
    assert answer.status_code < 500, (what, answer.status_code, content[:500])
    assert b"cannot be stored" not in content, (what, content[:500])
    for name, value in answer.items():
        assert not {"\r", "\n", "\0"} & {*value}, (what, name, value)
    assert "X-Injected" not in answer, what
