#!/usr/bin/env python
"""Django's entry point; `pupitre` is the same thing as a command."""

from hub.portal.command import main

if __name__ == "__main__":
    main()
