"""« Vérifier un badge »: a code typed, an address pasted or a file dropped, by anyone; nothing is kept, only listed hosts are asked."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from badges.check_codes import find_check_code
from badges.errors import FileRefused
from badges.foreign import fetch, judge_foreign
from badges.forms import VerifierForm
from badges.issuer import load_issuer
from badges.models import Award
from badges.register import AwardRegister
from badges.verify import MAX_FILE_BYTES, State, Verdict, verify_file

_ACCEPT = (
    "application/vc+ld+json, application/vc, application/ld+json, application/json, image/png, image/svg+xml, */*;q=0.1"
)
# The form's other fields and its separators.
_MAX_REQUEST_BYTES = MAX_FILE_BYTES + (16 << 10)


@csrf_exempt  # changes nothing; and the check would read a huge upload before we can refuse it
@require_http_methods(["GET", "HEAD", "POST"])
def verifier(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _render(request, VerifierForm())
    if int(request.META.get("CONTENT_LENGTH") or 0) > _MAX_REQUEST_BYTES:
        sentence = _("Ce fichier dépasse 1 Mo : un badge est bien plus petit.")
        return _render(request, VerifierForm(), Verdict(State.UNREADABLE, "file-too-large", sentence), status=413)
    form = VerifierForm(request.POST, request.FILES)
    if not form.is_valid():
        return _render(request, form, status=400)
    file = form.cleaned_data["file"]
    if file is not None:
        return _judge(request, file.read(MAX_FILE_BYTES + 1))
    typed, address = form.cleaned_data["code"], form.cleaned_data["address"]
    if address:
        typed = _find_code(address)
        if not typed:
            try:
                return _judge(request, fetch(address, settings.ENVIRONMENT.verifier_hosts, _ACCEPT))
            except FileRefused as error:
                form.add_error("address", error.message)
                return _render(request, form, status=400)
    code = find_check_code(typed)
    if code is None:
        form.add_error("code", _("Un code a douze lettres et chiffres, comme 7K3M-9QXT-4D8E : vérifiez la saisie."))
        return _render(request, form, status=400)
    award = Award.objects.filter(check_code=code).first()
    if award is None:
        form.add_error("code", _("Aucun badge délivré ici ne porte ce code."))
        return _render(request, form, status=404)
    return redirect(award)


def _judge(request: HttpRequest, content: bytes) -> HttpResponse:
    verdict = verify_file(content, AwardRegister(load_issuer()), timezone.now())
    verdict = judge_foreign(content, verdict, settings.ENVIRONMENT.verifier_hosts)
    return _render(request, VerifierForm(), verdict, from_pdf=content.startswith(b"%PDF"))


def _find_code(address: str) -> str:
    """The check code in an address of ours; "" when it is none."""
    path = address.removeprefix(load_issuer().public_url + "/badges/")
    return path[:14] if path != address and find_check_code(path[:14]) else ""


def _render(
    request: HttpRequest,
    form: VerifierForm,
    verdict: Verdict | None = None,
    status: int = 200,
    *,
    from_pdf: bool = False,
) -> HttpResponse:
    award = None
    if verdict is not None and verdict.check_code:
        award = Award.objects.select_related("badge").filter(check_code=verdict.check_code).first()
    context = {
        "form": form,
        "verdict": verdict,
        "award": award,
        "from_pdf": from_pdf,
        "hosts": settings.ENVIRONMENT.verifier_hosts,
    }
    return render(request, "badges/verifier.html", context, status=status)
