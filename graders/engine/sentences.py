"""Every sentence that marking says to a person, in French. The engine is pure, so they are plain text, not gettext calls."""

from __future__ import annotations

REFUSALS = {
    "too-large": "Ce carnet dépasse 10 Mo : effacez les sorties (menu Édition, « Effacer toutes les sorties ») puis soumettez-le de nouveau.",
    "not-a-notebook": "Ce fichier n’est pas un carnet Jupyter lisible : enregistrez votre carnet, vérifiez qu’il s’ouvre, puis soumettez-le de nouveau.",
    "notebook-too-new": "Ce carnet est dans un format trop récent : enregistrez-le depuis JupyterLab sur Pupitre puis soumettez-le de nouveau.",
    "wrong-assignment": "Ce carnet ne correspond pas à cet exercice : aucune de ses cellules n’y figure. Vérifiez que vous soumettez le bon carnet.",
}

PASSED = "Réussi."
PARTIAL = "Partiellement réussi."
WAITS = "Cette réponse sera lue par un correcteur."
NO_ANSWER = "Pas encore de réponse."
VISIBLE_FAILS = "Ce test visible ne passe pas encore."
HIDDEN_FAILS = "Un test caché ne passe pas encore : vérifiez votre code avec d’autres valeurs."
WROTE_WARNING = (
    "Le test s’est exécuté mais a écrit un avertissement sur la sortie d’erreur : corrigez ce qui le provoque."
)
BAD_POINTS = "Le test a rendu un nombre de points impossible : un correcteur le lira."
OTHER_ERROR = "Votre code s’arrête sur une erreur : relisez-le et exécutez de nouveau la cellule."

# By class of the exception, first match along its ancestors.
BY_ERROR = {
    "NotImplementedError": NO_ANSWER,
    "NameError": "Un nom utilisé n’existe pas : vérifiez l’orthographe, les majuscules, et que la cellule qui le définit s’exécute.",
    "IndentationError": "Une ligne est mal décalée : vérifiez les espaces au début des lignes.",
    "SyntaxError": "Python ne comprend pas une ligne : vérifiez les parenthèses, les guillemets et les deux-points.",
    "TypeError": "Une opération ou un appel reçoit une valeur d’un type inattendu : vérifiez les types et le nombre d’arguments.",
    "ZeroDivisionError": "Une division par zéro se produit : quelle valeur peut devenir nulle ?",
    "IndexError": "Un indice dépasse la fin de la liste : vérifiez les bornes.",
    "KeyError": "Une clé demandée n’existe pas dans le dictionnaire.",
    "ValueError": "Une valeur n’est pas acceptée par une opération : vérifiez ce que vous lui donnez.",
    "AttributeError": "Un attribut ou une méthode n’existe pas pour cette valeur : vérifiez son type et l’orthographe.",
    "RecursionError": "La fonction s’appelle elle-même sans fin : vérifiez le cas d’arrêt.",
    "FileNotFoundError": "Un fichier est introuvable : utilisez le chemin relatif donné dans l’énoncé.",
    "ModuleNotFoundError": "Un module importé n’est pas disponible : utilisez ceux de l’énoncé.",
    "ImportError": "Une importation a échoué : vérifiez le nom de ce que vous importez.",
    "MemoryError": "Le code demande trop de mémoire : vérifiez la taille des listes et des tableaux.",
    "StdinNotImplementedError": "`input()` n’est pas possible pendant la correction : donnez la valeur dans une variable.",
    "SystemExit": "Le code arrête Python (`exit`) : retirez cet appel.",
    "KeyboardInterrupt": "L’exécution a été interrompue.",
    "CellTimeout": "Le temps prévu est dépassé : cherchez une boucle qui ne se termine pas.",
    "OSError": "Une opération sur un fichier ou sur le système a été refusée.",
}

STOPS = {
    "timeout": "L’exécution s’est arrêtée à cette cellule : elle ne se termine pas dans le temps prévu. Cherchez une boucle sans fin.",
    "run-timeout": "Le temps prévu pour tout le carnet est dépassé : les cellules suivantes n’ont pas été exécutées.",
    "died": "L’exécution s’est arrêtée à cette cellule : le code a mis fin à Python, ou a dépassé la mémoire ou le nombre de processus permis.",
    "garbled": "L’exécution s’est arrêtée à cette cellule : le programme a perturbé la correction. Retirez ce qui agit sur le système.",
}
STOPPED_BEFORE = (
    "Cette cellule n’a pas été exécutée : l’exécution s’est arrêtée plus haut, {where}. Corrigez d’abord cet endroit."
)


def cell_place(exercise: str, number: int) -> str:
    """« à l’exercice 1.2 », or « à la cellule 3 »."""
    return f"à l’exercice {exercise}" if exercise else f"à la cellule {number}"


def repaired_test(grade_id: str) -> str:
    return f"La cellule de test « {grade_id} » avait été modifiée : celle de l’énoncé a été utilisée."


def restored(grade_id: str) -> str:
    return f"La cellule « {grade_id} » manquait : elle a été remise en place."


def recognised(grade_id: str) -> str:
    return f"La cellule « {grade_id} » avait perdu son étiquette : elle a été reconnue à son contenu ou à sa place."


def duplicated(grade_id: str) -> str:
    return f"La cellule « {grade_id} » existait en plusieurs exemplaires : le dernier est noté."


def retyped(grade_id: str) -> str:
    return f"La cellule « {grade_id} » avait changé de type (code ou texte) : son type d’origine a été rétabli."


def relabelled(grade_id: str) -> str:
    return f"Les réglages de la cellule « {grade_id} » avaient changé : ceux de l’énoncé ont été rétablis."


RECOVERED = "Le fichier était abîmé : les cellules qui y restaient lisibles ont été récupérées."
JOINED = "Des cellules avaient été coupées ou réunies : elles ont été remises comme dans l’énoncé."
REORDERED = "Des cellules avaient changé de place : l’ordre de l’énoncé a été rétabli."
