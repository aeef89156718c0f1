"""The endpoints."""

import django_filters
from django.db.models import Q
from rest_framework import pagination, viewsets
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.benchmarks.textbook import serializers
from tests.benchmarks.textbook.models import Customer, Phone


class Empty(APIView):
    """What DRF costs by itself."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request):
        return Response({"status": "ACTIVE"})


class CustomerFilter(django_filters.FilterSet):
    email = django_filters.CharFilter(field_name="emails__value", lookup_expr="iexact")
    phone = django_filters.CharFilter(field_name="phones__number")
    external_id = django_filters.CharFilter()
    name = django_filters.CharFilter(method="by_name")

    def by_name(self, queryset, _, value):
        for word in value.split():
            queryset = queryset.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word))
        return queryset


class Numbered(pagination.PageNumberPagination):
    page_size = 25


class ByCursor(pagination.CursorPagination):
    page_size = 25
    ordering = ("-created_at", "-id")


class Customers(viewsets.ModelViewSet):
    """Customers of the accounts that the token's user is a member of."""

    serializer_class = serializers.CustomerSerializer
    filterset_class = CustomerFilter

    def get_queryset(self):
        accounts = list(self.request.user.accounts.values_list("pk", flat=True))
        found = Customer.objects.filter(account__in=accounts).order_by("-created_at", "-id")
        return found.prefetch_related("emails", "phones", "addresses")

    @property
    def paginator(self):
        """Searches have a count; the whole list goes by cursor, which needs none."""
        if not hasattr(self, "_paginator"):
            is_search = self.request.GET.keys() & CustomerFilter.base_filters.keys()
            self._paginator = Numbered() if is_search else ByCursor()
        return self._paginator


class Phones(viewsets.ModelViewSet):
    """Telephone numbers, to change one member of one."""

    serializer_class = serializers.PhoneSerializer

    def get_queryset(self):
        return Phone.objects.filter(customer__account__members=self.request.user)
