"""Files of a multipart call, with their relative paths, read under limits.

Django keeps only the last part of a file's name, and reads multipart for POST alone; here the name is a path (checked),
PUT works the same, and a body that is too large is refused before it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.translation import gettext as _

from graders.submitted import is_safe_path
from hub.portal.door.errors import DoorError
from hub.portal.door.limits import FORM_BYTES, UploadLimits


@dataclass(frozen=True)
class Upload:
    """Fields, and per field name the files by relative path."""

    fields: QueryDict
    groups: Mapping[str, dict[str, bytes]]

    @property
    def files(self) -> dict[str, bytes]:
        return self.groups.get("files", {})


def _too_large(limit_bytes: int) -> DoorError:
    return DoorError(
        413,
        "too-large",
        _("Un fichier dépasse la limite de %d Mo. Effacez les sorties volumineuses, puis recommencez.")
        % (limit_bytes // 1_000_000),
    )


class _PathParser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        return file_name  # checked whole in `_Collector`: a path must not silently lose its folders


class _Collector(FileUploadHandler):
    """Keeps each file in memory under its path; stops at the first limit passed."""

    def __init__(self, limits: UploadLimits) -> None:
        super().__init__()
        self.limits = limits
        self.groups: dict[str, dict[str, bytes]] = {}
        self._chunks: list[bytes] = []
        self._size_bytes = self._total_bytes = self._count = 0

    def new_file(self, field_name: str, file_name: str, *args: object, **kwargs: object) -> None:
        self._count += 1
        if self._count > self.limits.files:
            raise DoorError(
                413, "too-many-files", _("L’envoi compte trop de fichiers ; la limite est de %d.") % self.limits.files
            )
        if not is_safe_path(file_name):
            raise DoorError(400, "bad-path", _("Le nom de fichier « %s » n’est pas accepté.") % file_name[:80])
        if file_name in self.groups.setdefault(field_name, {}):
            raise DoorError(400, "bad-path", _("Le fichier « %s » est envoyé deux fois.") % file_name[:80])
        self._target = (field_name, file_name)
        self._chunks, self._size_bytes = [], 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size_bytes += len(raw_data)
        self._total_bytes += len(raw_data)
        if self._size_bytes > self.limits.file_bytes or self._total_bytes > self.limits.total_bytes:
            raise _too_large(self.limits.file_bytes)
        self._chunks.append(bytes(raw_data))

    def file_complete(self, file_size: int) -> None:
        field_name, file_name = self._target
        self.groups[field_name][file_name] = b"".join(self._chunks)
        self._chunks = []


def read_upload(request: HttpRequest, limits: UploadLimits) -> Upload:
    """The files and fields of a multipart call.

    Raises
    ------
    DoorError
        Not multipart, malformed, too large, or a name that is no path below a folder.
    """
    bad = DoorError(400, "bad-upload", _("L’envoi est illisible : recommencez."))
    if request.content_type != "multipart/form-data":
        raise bad
    try:
        length = int(request.META.get("CONTENT_LENGTH") or "")
    except ValueError:
        raise bad from None
    if length > limits.total_bytes + FORM_BYTES:
        raise _too_large(limits.total_bytes)
    collector = _Collector(limits)
    try:
        fields, _files = _PathParser(request.META, request, [collector], "utf-8").parse()
    except (MultiPartParserError, TooManyFieldsSent, RequestDataTooBig, UnicodeError) as error:
        raise bad from error
    except TooManyFilesSent as error:
        raise DoorError(
            413, "too-many-files", _("L’envoi compte trop de fichiers ; la limite est de %d.") % limits.files
        ) from error
    return Upload(fields, collector.groups)
