"""Forms of the badge pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from badges.awards import REASON_MAX_LENGTH


class PublicationForm(forms.Form):
    """What the holder of an award lets others see."""

    published = forms.BooleanField(
        label=_("Publier ce badge"),
        help_text=_(
            "Qui a l’adresse de cette page peut alors télécharger le badge signé : votre nom, le titre, les modules "
            "achevés, les dates."
        ),
        required=False,
    )
    shows_marks = forms.BooleanField(
        label=_("Faire figurer mes notes"),
        help_text=_("Sur la page et dans les fichiers signés. Sinon, seule votre attestation PDF les porte."),
        required=False,
    )
    openbadges2 = forms.BooleanField(
        label=_("Ouvrir aux anciens porte-badges (Open Badges 2.0)"),
        help_text=_(
            "Utile pour Open Badge Passport ou Moodle. Ils demandent une empreinte de votre adresse électronique : qui "
            "connaît déjà votre adresse peut vérifier que c’est bien elle. Sans effet si le badge n’est pas publié."
        ),
        required=False,
    )


class RevocationForm(forms.Form):
    """Why a manager revokes."""

    reason = forms.CharField(
        label=_("Motif de la révocation"),
        help_text=_("Il est envoyé au participant ; il n’est pas publié."),
        max_length=REASON_MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class VerifierForm(forms.Form):
    """A code typed, or a file dropped."""

    code = forms.CharField(
        label=_("Code de vérification"),
        help_text=_("Douze lettres et chiffres imprimés sur l’attestation, par exemple 7K3M-9QXT-4D8E."),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    address = forms.URLField(
        label=_("Ou adresse du badge"),
        help_text=_("Celle de sa page ou de son fichier."),
        max_length=1000,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=_("Ou fichier du badge"),
        help_text=_("Image PNG ou SVG, attestation PDF, fichier JSON ou JWT, 1 Mo au plus. Il n’est pas conservé."),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".png,.svg,.json,.jwt,.txt,.pdf"}),
    )
