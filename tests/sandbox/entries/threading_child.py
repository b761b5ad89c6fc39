"""An entry module that breaks the nursery's law: it starts a thread."""

import threading
import time


def warm_up():
    threading.Thread(target=time.sleep, args=(60,), name="busy", daemon=True).start()


def main(channel, listen):
    raise SystemExit
