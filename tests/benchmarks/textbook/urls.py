"""Where the endpoints are."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tests.benchmarks.textbook import views

router = SimpleRouter()
router.register("customers", views.Customers, "customer")
router.register("phones", views.Phones, "phone")
urlpatterns = [path("empty", views.Empty.as_view()), path("", include(router.urls))]
