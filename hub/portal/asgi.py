"""What uvicorn serves."""

import os

from django.core.asgi import get_asgi_application

from hub.portal.door.bodylimit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.portal.settings")
application = BodyLimit(get_asgi_application())  # type: ignore[arg-type]  # Django's own stubs differ from ASGI's
