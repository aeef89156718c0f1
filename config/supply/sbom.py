"""The bill of materials: what the lock names, with all that the packages say they bring of others.

As CycloneDX in JSON. Needs `cyclonedx-python-lib`, which is not one of the product's own packages.
"""

import json
import tomllib
from collections.abc import Iterable
from warnings import catch_warnings, simplefilter

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.contact import OrganizationalContact
from cyclonedx.model.license import License, LicenseAcknowledgement
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.schema.deprecation import BaseSchemaDeprecationWarning
from packageurl import PackageURL
from packaging.requirements import Requirement

from config.launcher.guard import CHECKOUT
from config.supply.bundled import bundled_in, located, main_file, sha256_of, version_of
from config.supply.components import Bundled
from config.supply.packages import Package, edges

VERSION = SchemaVersion.V1_6
APPLICATIONS = frozenset({"PostgreSQL", "Valkey"})
# Where packages have bills of their own, of what was compiled into them.
OWN_BILLS = ".dist-info/sboms/"


def bill_of_materials(known: Iterable[Package]) -> str:
    """The bill of a release that runs on these packages, as text. Raises `SupplyError`."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    root = Component(
        bom_ref=project["name"],
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        description=project["description"],
        licenses=[stated(project["license"])],
    )
    by_name = {each.name: each for each in known}
    components = {name: component_of(each) for name, each in by_name.items()}
    bill = Bom(components=components.values())
    bill.metadata.component = root
    bill.metadata.tools.components.add(this_component())
    direct = [Requirement(each) for each in project["dependencies"]]
    for name, needed in edges(by_name, direct).items():
        owner = components[name] if name else root
        bill.register_dependency(owner, [components[each] for each in needed])
    return make_outputter(bill, OutputFormat.JSON, VERSION).output_as_string(indent=2)


def component_of(package: Package) -> Component:
    """A package of the lock, with what it brings."""
    is_declared = bool(package.declared)
    purl = PackageURL("pypi", name=package.name, version=package.version)
    return Component(
        bom_ref=str(purl),
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=purl,
        licenses=[stated(package.licence, is_declared=is_declared)],
        external_references=website(package.home),
        scope=ComponentScope.OPTIONAL if package.distribution is None else ComponentScope.REQUIRED,
        properties=[Property(name="kith:marker", value=package.marker)] if package.marker else [],
        components=[
            *(brought(package, each) for each in bundled_in(package)),
            *compiled_into(package),
        ],
    )


def brought(package: Package, bundled: Bundled) -> Component:
    """Something of others within a package."""
    path, version = main_file(package, bundled), version_of(package, bundled) or None
    is_server = bundled.name in APPLICATIONS
    return Component(
        bom_ref=f"{package.name}/{path}",
        type=ComponentType.APPLICATION if is_server else ComponentType.LIBRARY,
        name=bundled.npm or bundled.name,
        version=version,
        purl=PackageURL("npm", name=bundled.npm, version=version) if bundled.npm else None,
        licenses=[stated(bundled.licence, is_declared=False)],
        external_references=website(bundled.home),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256_of(path))],
        properties=[Property(name="kith:file", value=str(path))],
    )


def compiled_into(package: Package) -> list[Component]:
    """What was compiled into a package, by the bills that it has of its own."""
    found = []
    for path in package.files:
        if OWN_BILLS not in str(path) or path.suffix != ".json":
            continue
        text = located(path).read_text(encoding="utf-8")
        with catch_warnings():
            # They are of older versions of CycloneDX.
            simplefilter("ignore", BaseSchemaDeprecationWarning)
            own = Bom.from_json(json.loads(text))  # type: ignore[attr-defined] # made by a decorator
            found += [part_of(package, each) for each in own.components]
    # A bill may name the package itself, too.
    return [each for each in found if each.purl is None or each.purl.type != "pypi"]


def part_of(package: Package, component: Component) -> Component:
    """A component of a package's own bill, as one of this bill has to be."""
    component.bom_ref.value = f"{package.name}/{component.purl or component.name}"
    if component.author:
        component.authors.add(OrganizationalContact(name=component.author))
        component.author = None
    return component


def website(home: str) -> list[ExternalReference]:
    """A home page, if there is one, as a component has it."""
    if not home:
        return []
    return [ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(home))]


def stated(expression: str, *, is_declared: bool = True) -> License:
    """A licence as its authors declare it, or as it was read from their licence file."""
    found: License = LicenseFactory().make_from_string(
        expression,
        license_acknowledgement=LicenseAcknowledgement.DECLARED
        if is_declared
        else LicenseAcknowledgement.CONCLUDED,
    )
    return found
