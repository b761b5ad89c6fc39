# Two commands do all the set-up: `make run` and `make test`. See README.md.
.PHONY: package
# Learners' servers do not see the clone: our packages are installed in .venv, not linked to it.
package:
	@flock .venv/.package.lock .venv/bin/pip install --quiet --no-deps --no-build-isolation --force-reinstall . && rm -rf build
