"""A customer as JSON, with its children."""

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from tests.benchmarks.textbook.models import Account, Address, Customer, Email, Phone


class EmailSerializer(serializers.ModelSerializer):
    class Meta:
        model = Email
        fields = ["id", "value", "is_primary"]


class PhoneSerializer(serializers.ModelSerializer):
    class Meta:
        model = Phone
        fields = ["id", "number", "type", "extension", "is_primary"]


class AddressSerializer(serializers.ModelSerializer):
    class Meta:
        model = Address
        exclude = ["customer"]


class CustomerSerializer(serializers.ModelSerializer):
    emails = EmailSerializer(many=True)
    phones = PhoneSerializer(many=True)
    addresses = AddressSerializer(many=True)
    account = serializers.PrimaryKeyRelatedField(queryset=Account.objects.all())

    class Meta:
        model = Customer
        fields = [
            *["id", "account", "external_id", "status", "first_name", "last_name"],
            *["date_of_birth", "created_at", "updated_at", "emails", "phones", "addresses"],
        ]
        read_only_fields = ["created_at"]

    @transaction.atomic
    def create(self, validated):
        children = {name: validated.pop(name) for name in ("emails", "phones", "addresses")}
        customer = Customer.objects.create(created_at=timezone.now(), **validated)
        for name, rows in children.items():
            related = getattr(customer, name)
            related.bulk_create(related.model(customer=customer, **row) for row in rows)
        return customer
