# Two commands do all the set-up: `make run` and `make test`. Everything is installed in .venv and node_modules.
SHELL := /bin/bash
PYTHON ?= python3
PIP = .venv/bin/pip --disable-pip-version-check
SOURCES := $(shell find hub graders badges sandbox pupitre -type f -not -name '*.pyc' -not -name '*.mo' 2>/dev/null) pyproject.toml
OUTSIDE = tests/badges/outside
CHROMIUM ?= $(or $(shell command -v chromium),$(shell command -v chromium-browser))

.PHONY: help run stop demo install outside package test lint types unit hub browser soak bench clean lock chromium messages messages-extract

help:
	@echo "make run    installe ce qu'il faut, démarre Pupitre et affiche l'adresse"
	@echo "make demo   la même chose avec un petit monde vivant, dans var/demo"
	@echo "make stop   arrête tout"
	@echo "make test   installe les outils de test, puis tout vérifier (lint, types, tests, navigateur)"
	@echo "make soak   les longues répétitions des tests de robustesse"
	@echo "make bench  les mesures, à côté des outils d'origine (ONLY=nom pour une seule)"

run: install
	@.venv/bin/python manage.py run

demo: install
	@PUPITRE_STATE_DIR=$(CURDIR)/var/demo .venv/bin/python manage.py demo

stop:
	@test -x .venv/bin/python || { echo "Rien n'est installé, donc rien ne tourne."; exit 0; }
	@.venv/bin/python manage.py stop; PUPITRE_STATE_DIR=$(CURDIR)/var/demo .venv/bin/python manage.py stop

# --- set-up ------------------------------------------------------------------------------------------------------------
install: .venv/.base node_modules/.installed .venv/.package

.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "Python est introuvable : installez Python 3.11 ou plus récent (sous Debian : apt install python3 python3-venv)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 ou plus récent est nécessaire ; celui-ci : $$($(PYTHON) --version). Indiquez-en un autre : make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "L'environnement Python n'a pas pu être créé (sous Debian : apt install python3-venv)."; exit 1; }

.venv/.base: .venv/bin/pip requirements/base.txt
	@echo "Installation des paquets Python…"
	@$(PIP) install --quiet --require-hashes -r requirements/base.txt || { echo "L'installation des paquets Python a échoué : vérifiez la connexion et l'espace disque, puis relancez."; exit 1; }
	@touch $@

.venv/.dev: .venv/.base requirements/dev.txt
	@echo "Installation des outils de test…"
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null || { echo "npm est introuvable : installez Node.js 20 ou plus récent (sous Debian : apt install nodejs npm)."; exit 1; }
	@echo "Installation des paquets Node…"
	@npm ci --silent || { echo "L'installation des paquets Node a échoué : vérifiez la connexion et l'espace disque, puis relancez."; exit 1; }
	@touch $@

# Verifiers of badges that nobody here wrote, for the tests alone: Node's; 1EdTech's for Open Badges 2.0, whose old pins need a folder
# of their own; and the official schemas, which the source archive of openbadgeslib holds (same version and hashes as in base.txt).
outside: $(OUTSIDE)/node_modules/.installed .venv/outside/openbadges2/.installed .venv/outside/schemas/.installed

$(OUTSIDE)/node_modules/.installed: $(OUTSIDE)/package-lock.json
	@echo "Installation des vérificateurs de badges…"
	@npm ci --silent --prefix $(OUTSIDE) || { echo "L'installation des vérificateurs a échoué : vérifiez la connexion et l'espace disque, puis relancez."; exit 1; }
	@touch $@

.venv/outside/openbadges2/.installed: requirements/openbadges2.txt | .venv/.base
	@rm -rf $(@D)
	@$(PIP) install --quiet --no-deps --no-build-isolation --require-hashes --target $(@D) -r requirements/openbadges2.txt
	@touch $@

.venv/outside/schemas/.installed: requirements/base.txt | .venv/.base
	@rm -rf $(@D) && mkdir -p $(@D)
	@sed -n '/^openbadgeslib==/,/# via/p' requirements/base.txt | grep -v '# via' >$(@D)/archive.txt
	@$(PIP) download --quiet --no-deps --no-build-isolation --no-binary :all: --require-hashes --dest $(@D) -r $(@D)/archive.txt
	@tar -xzf $(@D)/openbadgeslib-*.tar.gz -C $(@D) --strip-components=4 --wildcards '*/tests/fixtures/ob_schemas/*.json'
	@touch $@

# Learners' servers do not see the clone: our packages are installed in .venv, not linked to it.
.venv/.package: .venv/.base $(SOURCES)
	@$(MAKE) --no-print-directory package

package: messages
	@flock .venv/.package.lock $(PIP) install --quiet --no-deps --no-build-isolation --force-reinstall . && rm -rf build && touch .venv/.package

messages:
	@for po in $$(find hub graders badges -name '*.po'); do \
	  said=$$(.venv/bin/pybabel compile --input-file $$po --output-file $${po%.po}.mo 2>&1) || { echo "$$said"; exit 1; }; done

# The texts to translate, from code and templates into locale/en/LC_MESSAGES/*.po; then translate what is empty (docs/reference/languages.md).
messages-extract:
	@test -x .venv/bin/pybabel || { echo "Rien n'est installé : lancez d'abord make install."; exit 1; }
	@command -v xgettext >/dev/null || { echo "xgettext est nécessaire pour extraire les textes : sudo apt install gettext"; exit 1; }
	@for folder in hub/portal graders badges; do \
	  (cd $$folder && PYTHONPATH=$(CURDIR) $(CURDIR)/.venv/bin/python $(CURDIR)/manage.py makemessages --locale en --no-wrap --no-obsolete --add-location file --verbosity 0) || exit 1; done
	@cd hub/jupyter && ../../.venv/bin/pybabel --quiet extract --mapping-file locale/babel.cfg --keywords gettext_noop --no-wrap --add-location file --output-file locale/hub.pot .
	@cd hub/jupyter && ../../.venv/bin/pybabel --quiet update --domain hub --locale en --init-missing --input-file locale/hub.pot --output-dir locale --no-wrap --no-fuzzy-matching --ignore-obsolete && rm locale/hub.pot

lock:
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --python-version 3.11 -o requirements/base.txt
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --python-version 3.11 -c requirements/base.txt -o requirements/dev.txt
	uv pip compile requirements/openbadges2.in --override requirements/openbadges2-overrides.txt --generate-hashes --no-emit-index-url --python-version 3.11 -o requirements/openbadges2.txt

# --- checks -------------------------------------------------------------------------------------------------------------
# Two halves at once, one per core: what needs no Hub, and what drives real installations. tests/browser has a process of its
# own: its browser lives as long as the process, and no other event loop may run meanwhile.
test: install .venv/.dev outside chromium lint types
	@log=$$(mktemp); \
	.venv/bin/pytest -m "not soak and not hub and not browser" >"$$log" 2>&1 & unit=$$!; \
	.venv/bin/pytest -m "not soak and (hub or browser)" --ignore=tests/browser; hub=$$?; \
	.venv/bin/pytest tests/browser; browser=$$?; \
	wait $$unit; unit=$$?; cat "$$log"; rm -f "$$log"; \
	test $$hub = 0 && test $$browser = 0 && test $$unit = 0

lint:
	@.venv/bin/ruff format --check . && .venv/bin/ruff check .

types:
	@state=$$(mktemp -d); PUPITRE_STATE_DIR=$$state PYTHONPATH=. .venv/bin/mypy; code=$$?; rm -rf $$state; exit $$code

unit: install .venv/.dev outside
	@.venv/bin/pytest -m "not soak and not hub and not browser"

hub: install .venv/.dev
	@.venv/bin/pytest -m "not soak and (hub or browser)" --ignore=tests/browser

browser: install .venv/.dev chromium
	@.venv/bin/pytest tests/browser

soak: install .venv/.dev
	@.venv/bin/pytest -m soak

bench: install .venv/.dev
	@.venv/bin/python -m bench $(ONLY)

chromium:
	@if [ -z "$(CHROMIUM)" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  else echo "Chromium est nécessaire aux tests de navigateur : sudo apt install chromium"; exit 1; fi; fi

clean:
	rm -rf .venv node_modules $(OUTSIDE)/node_modules build *.egg-info
