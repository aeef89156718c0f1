"""What `/core` refuses, by the codes of the dialect."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_noop as _

from config.api.errors import ApiError, Forbidden, Problem
from config.api.translation import Message

UNSUPPORTED_PARAMETER = "400-101"
UNSUPPORTED_VALUE = "400-102"
NOT_A_POSITIVE_INTEGER = "400-105"
BAD_PATH = "400-108"
MISSING = "400-112"
NO_PERMISSION = "403-178"
NO_SCOPE = "403-197"
NOT_ACCEPTABLE = "406-100"


class BadQuery(ApiError):
    """A query that the dialect does not allow: a code of its own, and the parameters at fault."""

    def __init__(self, code: str, message: str, *names: str) -> None:
        problems = [Problem(name, message, code) for name in names]
        super().__init__(message, code=code, problems=problems)


class NotAcceptable(ApiError):
    """There is no such language, or no such format."""

    status = 406
    code = NOT_ACCEPTABLE


def unsupported_parameters(names: Sequence[str], allowed: Iterable[str]) -> BadQuery:
    """Parameters that this operation does not have for this kind of actor."""
    template = _("Unsupported query parameters: %(names)s. This actor may send here: %(allowed)s.")
    message = Message(template, names=", ".join(names), allowed=", ".join(allowed))
    return BadQuery(UNSUPPORTED_PARAMETER, message, *names)


def repeated(name: str) -> BadQuery:
    """A parameter that is there more than once."""
    template = _("The query parameter %(name)s may be sent only once.")
    return BadQuery(UNSUPPORTED_PARAMETER, Message(template, name=name), name)


def mixed_paging() -> BadQuery:
    """Page parameters together with range parameters."""
    message = _(
        "$pagenum and $pagesize cannot be combined with $rangestart and $rangesize: send one pair."
    )
    return BadQuery(UNSUPPORTED_PARAMETER, message, "$rangestart", "$rangesize")


def order_without_sort() -> BadQuery:
    """A direction without anything to sort by."""
    message = _("The query parameter $order needs $sort beside it.")
    return BadQuery(UNSUPPORTED_PARAMETER, message, "$order")


def unsupported_value(name: str, rule: str) -> BadQuery:
    """A value that the parameter cannot have; `rule` is a sentence that says what it can."""
    return BadQuery(UNSUPPORTED_VALUE, rule, name)


def empty(name: str) -> BadQuery:
    """A parameter without a value."""
    template = _("The query parameter %(name)s has no value.")
    return BadQuery(UNSUPPORTED_VALUE, Message(template, name=name), name)


def one_of(name: str, allowed: Iterable[str]) -> BadQuery:
    """A value that is none of a list."""
    template = _("The value of %(name)s must be one of: %(allowed)s.")
    return unsupported_value(name, Message(template, name=name, allowed=", ".join(allowed)))


def not_a_positive_integer(name: str) -> BadQuery:
    """Something else where a positive integer is expected."""
    template = _("The value of %(name)s must be a positive integer.")
    return BadQuery(NOT_A_POSITIVE_INTEGER, Message(template, name=name), name)


def unknown_attribute(name: str, attribute: str) -> BadQuery:
    """A custom attribute that is not defined."""
    template = _("There is no custom attribute %(attribute)s for %(name)s.")
    return unsupported_value(name, Message(template, name=name, attribute=attribute))


def encrypted_attribute(name: str, attribute: str) -> BadQuery:
    """A custom attribute whose values never leave here."""
    template = _("The custom attribute %(attribute)s is encrypted and not available in %(name)s.")
    return unsupported_value(name, Message(template, name=name, attribute=attribute))


def unknown_department(name: str) -> BadQuery:
    """A department that neither the business account nor one below it has."""
    template = _("There is no department named %(name)s.")
    return unsupported_value("department", Message(template, name=name))


def missing(*names: str) -> BadQuery:
    """A parameter that is required."""
    template = _("A required query parameter is missing: %(names)s.")
    return BadQuery(MISSING, Message(template, names=", ".join(names)), *names)


def missing_criterion(names: Iterable[str]) -> BadQuery:
    """No search criterion at all, or too few."""
    template = _("At least one of these query parameters is required: %(names)s.")
    return BadQuery(MISSING, Message(template, names=", ".join(names)))


def type_alone() -> BadQuery:
    """`type` as the only criterion."""
    message = _("The query parameter type needs another search criterion beside it.")
    return BadQuery(MISSING, message, "type")


def bad_ids(limit: int) -> BadQuery:
    """A path that is no list of ids."""
    template = _("The path must end with 1 to %(limit)s customer ids, separated by commas.")
    return BadQuery(BAD_PATH, Message(template, limit=limit))


def no_permission() -> Forbidden:
    """An employee whose role may not look at customers here."""
    message = _("This user does not have the permission View Agent Console.")
    return Forbidden(message, code=NO_PERMISSION)


def unknown_ids(ids: Iterable[object]) -> ApiError:
    """Ids of customers that are not there, or none of this actor's business."""
    template = _("There is no customer with these ids: %(ids)s.")
    error = ApiError(Message(template, ids=", ".join(map(str, ids))), code="404-100")
    error.status = 404
    return error


def unsupported_language(allowed: Iterable[str]) -> NotAcceptable:
    """None of the languages of `Accept-Language`."""
    template = _("None of the languages of Accept-Language is available. Available are: %(names)s.")
    return NotAcceptable(Message(template, names=", ".join(allowed)))


def unsupported_format(allowed: Iterable[str]) -> NotAcceptable:
    """None of the media types of `Accept`."""
    template = _("None of the media types of Accept is available. Available are: %(names)s.")
    return NotAcceptable(Message(template, names=", ".join(allowed)))
