"""« Vérifier un badge »: a code typed or a file dropped, by anyone; nothing is kept, nothing is fetched."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from badges.check_codes import find_check_code
from badges.forms import VerifierForm
from badges.issuer import load_issuer
from badges.models import Award
from badges.register import AwardRegister
from badges.verify import MAX_FILE_BYTES, State, Verdict, verify_file

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
        content = file.read(MAX_FILE_BYTES + 1)
        verdict = verify_file(content, AwardRegister(load_issuer()), timezone.now())
        return _render(request, VerifierForm(), verdict, from_pdf=content.startswith(b"%PDF"))
    code = find_check_code(form.cleaned_data["code"])
    if code is None:
        form.add_error("code", _("Un code a douze lettres et chiffres, comme 7K3M-9QXT-4D8E : vérifiez la saisie."))
        return _render(request, form, status=400)
    award = Award.objects.filter(check_code=code).first()
    if award is None:
        form.add_error("code", _("Aucun badge délivré ici ne porte ce code."))
        return _render(request, form, status=404)
    return redirect(award)


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
    context = {"form": form, "verdict": verdict, "award": award, "from_pdf": from_pdf}
    return render(request, "badges/verifier.html", context, status=status)
