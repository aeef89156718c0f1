"""Custom attributes in the back office: who has which, and from encrypted to clear and back."""

from typing import ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from config.api.errors import Conflict
from customers.admin.filters import ChoiceFilter
from customers.admin.jobs import WORDS, StateFilter
from customers.admin.scope import Inline, ReadOnlyAdmin, operator
from customers.models import AttributeConversion, AttributeDefinition
from customers.services.attributes import convert_attribute
from customers.services.business import check_deletable
from customers.words import moment

ENCRYPT, DECRYPT = "Encrypt values", "Stop encrypting"


class AttributeForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """An attribute."""

    class Meta:
        model = AttributeDefinition
        fields = ("target", "name", "is_encrypted")
        labels = {"is_encrypted": "Encrypted"}


def check_deleted(parts: BaseInlineFormSet) -> None:  # type: ignore[type-arg] # as below
    """Raise `ValidationError` for what is ticked to be deleted and may not be."""
    for form in parts.deleted_forms:
        try:
            check_deletable(form.instance)
        except Conflict as refusal:
            raise ValidationError(refusal.message) from refusal


class AttributeFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # not generic at run time
    """The attributes of one business account; the switch of each is for new ones."""

    def add_fields(self, form: "forms.ModelForm[AttributeDefinition]", index: int | None) -> None:
        """Those of a form."""
        super().add_fields(form, index)
        # It has its key before it is saved.
        if not form.instance._state.adding:
            switch = form.fields["is_encrypted"]
            switch.disabled = True
            switch.help_text = (
                f"Changed by “{ENCRYPT}” and “{DECRYPT}” on the list of custom attributes, which "
                "the list of business accounts leads to."
            )

    def clean(self) -> None:
        """Those whose values are being converted, or are too many, stay."""
        super().clean()
        for form in self.deleted_forms:
            if form.instance.conversion:
                raise ValidationError(
                    f"The values of {form.instance} are being converted; delete it afterwards."
                )
        check_deleted(self)


class AttributeInline(Inline):
    """The custom attributes that a business account defines."""

    model = AttributeDefinition
    form = AttributeForm
    formset = AttributeFormSet
    extra = 0


class EncryptedFilter(ChoiceFilter):
    """Attributes by how their values are kept."""

    title = "encrypted"
    parameter_name = "encrypted"
    choices_by_name: ClassVar = {
        "yes": ("Encrypted", Q(is_encrypted=True)),
        "no": ("Not encrypted", Q(is_encrypted=False)),
    }


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(ReadOnlyAdmin[AttributeDefinition]):
    """All custom attributes; they are defined on the pages of their business accounts."""

    nothing_yet = "They are defined on the page of a business account."
    beside = (("Conversions", "customers.AttributeConversion"),)
    list_display = ("name", "target", "business_account", "encrypted", "state")
    fields = list_display
    list_filter = ("target", EncryptedFilter)
    list_select_related = ("business_account",)
    search_fields = ("name",)
    actions = ("encrypt", "decrypt")

    @admin.display(description="Encrypted")
    def encrypted(self, definition: AttributeDefinition) -> str:
        """Whether its values are sealed."""
        return "Yes" if definition.is_encrypted else "No"

    @admin.display(description="conversion")
    def state(self, definition: AttributeDefinition) -> str:
        """The conversion that has not finished."""
        return definition.get_conversion_display()

    @admin.action(description=ENCRYPT, permissions=["convert"])
    def encrypt(
        self, request: HttpRequest, definitions: QuerySet[AttributeDefinition]
    ) -> TemplateResponse | None:
        """Ask first, then queue the conversion of each."""
        return self.convert(request, definitions, to_encrypted=True)

    @admin.action(description=DECRYPT, permissions=["convert"])
    def decrypt(
        self, request: HttpRequest, definitions: QuerySet[AttributeDefinition]
    ) -> TemplateResponse | None:
        """Likewise."""
        return self.convert(request, definitions, to_encrypted=False)

    def convert(
        self,
        request: HttpRequest,
        definitions: QuerySet[AttributeDefinition],
        *,
        to_encrypted: bool,
    ) -> TemplateResponse | None:
        """The page that asks; once it was answered, the outcomes as messages."""
        definitions = definitions.select_related("business_account")
        if "confirmed" not in request.POST:
            context = self.admin_site.each_context(request) | {
                "title": ENCRYPT if to_encrypted else DECRYPT,
                "action": "encrypt" if to_encrypted else "decrypt",
                "to_encrypted": to_encrypted,
                "definitions": definitions,
                "checkbox": ACTION_CHECKBOX_NAME,
                "opts": self.opts,
            }
            return TemplateResponse(request, "admin/customers/convert.html", context)
        for definition in definitions:
            try:
                convert_attribute(
                    actor=operator(request, definition.business_account),
                    definition=definition,
                    to_encrypted=to_encrypted,
                )
            except Conflict as refusal:
                self.message_user(request, refusal.message, messages.WARNING)
            else:
                message = f"The values of {definition} are being converted."
                self.message_user(request, message, messages.SUCCESS)
        return None

    def has_convert_permission(self, request: HttpRequest) -> bool:
        """Decrypting shows every value to everybody: for who decides who may act."""
        return bool(request.user.has_perm("customers.convert_attributedefinition"))


@admin.register(AttributeConversion)
class AttributeConversionAdmin(ReadOnlyAdmin[AttributeConversion]):
    """The conversions with their outcomes, newest first."""

    nothing_yet = (
        "Values are encrypted, or stored in clear again, on the list of custom attributes."
    )
    beside = (("Custom attributes", "customers.AttributeDefinition"),)
    list_display = ("name", "business_account", "aim", "state", "values", "asked", "ended")
    list_filter = (StateFilter,)
    list_select_related = ("business_account", "definition")
    fields = (*list_display, "error_message")
    sortable_by = ()
    actions = ("cancel",)

    @admin.display(description="attribute", empty_value="deleted since")
    def name(self, conversion: AttributeConversion) -> str | None:
        """What the attribute is called."""
        return conversion.definition.name if conversion.definition else None

    @admin.display(description="what is done")
    def aim(self, conversion: AttributeConversion) -> str:
        """Into which form the values are brought."""
        return ENCRYPT if conversion.to_encrypted else DECRYPT

    @admin.display(description="status")
    def state(self, conversion: AttributeConversion) -> str:
        """How far it is."""
        return WORDS[conversion.status]

    @admin.display(description="values")
    def values(self, conversion: AttributeConversion) -> str:
        """How many were converted, and how many no key opens."""
        done = f"{conversion.converted:,} converted"
        return f"{done}, {conversion.unreadable:,} unreadable" if conversion.unreadable else done

    @admin.display(description="asked", ordering="submitted_at")
    def asked(self, conversion: AttributeConversion) -> str:
        """When."""
        return moment(conversion.submitted_at)

    @admin.display(description="ended", empty_value="Not yet")
    def ended(self, conversion: AttributeConversion) -> str | None:
        """When."""
        return moment(conversion.finished_at) if conversion.finished_at else None

    @admin.action(description="Cancel", permissions=["convert"])
    def cancel(self, request: HttpRequest, conversions: QuerySet[AttributeConversion]) -> None:
        """Stop what waits or runs; its attribute stays masked until another one finishes."""
        aborted = [job.abort("CANCELLED", "The conversion was cancelled.") for job in conversions]
        self.message_user(request, f"{sum(aborted)} conversions were cancelled.", messages.SUCCESS)

    has_convert_permission = AttributeDefinitionAdmin.has_convert_permission
