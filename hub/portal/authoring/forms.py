"""« Nouveau parcours »."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.portal.authoring.drafts import is_slug_free
from hub.portal.authoring.models import Draft


class DraftForm(forms.ModelForm[Draft]):
    """A title and, if the author wants another than the title gives, an address."""

    class Meta:
        model = Draft
        fields = ("title", "slug")
        labels = {"title": gettext_lazy("Titre"), "slug": gettext_lazy("Adresse courte")}
        help_texts = {
            "slug": gettext_lazy(
                "Minuscules sans accent, chiffres, tirets. Laissez vide : elle est tirée du titre. Elle ne change plus ensuite."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False

    def clean_title(self) -> str:
        title = " ".join(str(self.cleaned_data["title"]).split())
        if not title.isprintable():
            raise forms.ValidationError(_("Le titre contient des caractères qui ne s’affichent pas."))
        return title

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("slug") and cleaned.get("title") and "slug" not in self.errors:
            cleaned["slug"] = slugify(cleaned["title"])[:63].strip("-_").replace("_", "-")
        slug = cleaned.get("slug")
        if "title" in cleaned and not slug and "slug" not in self.errors:
            self.add_error("slug", _("Le titre ne donne pas d’adresse : écrivez-en une."))
        elif slug and not is_slug_free(slug):
            self.add_error("slug", _("Cette adresse est prise par un autre parcours : choisissez-en une autre."))
        return cleaned
