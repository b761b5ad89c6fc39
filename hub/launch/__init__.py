"""Starting and stopping one installation: what `pupitre run`, `stop` and `demo` do, before and outside Django.

Laws: nothing here loads Django's settings (as root that would leave root's files in the state folder);
as root only forkd stays root, everything else becomes the system user `pupitre`; what is started is written in `run_dir`,
so that `stop` ends exactly that; a failure is one French sentence that says what to do.
"""
