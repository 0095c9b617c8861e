"""A room of its own for `pcscd` and its virtual reader, entered by `unshare`: nobody else's readers, ports or socket.

Run as `unshare --user --map-root-user --mount --net python pcsc_room.py FOLDER`; it needs no right of the user's. With
a second word, `unplugged`, the service has no reader. The
service's socket lies in the folder, where programs outside find it. vpcd's ports are in this room alone: who wants to
lay a card into a slot connects to `FOLDER/door`, says which, and gets the connected socket. All ends with its stdin.
"""

import array
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

PORT = 35963
CONFIG = """FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x8C7B
LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID 0x8C7B
"""


def main(folder: Path, *, plugged: bool) -> None:
    loopback_up()
    (folder / "run").mkdir(exist_ok=True)
    (folder / "reader.conf").write_text(CONFIG if plugged else "")
    subprocess.run(["mount", "--bind", str(folder / "run"), "/run"], check=True)
    log = (folder / "pcscd.log").open("a")
    service = subprocess.Popen(["/usr/sbin/pcscd", "--foreground", "--config", str(folder / "reader.conf")],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    door = socket.socket(socket.AF_UNIX)
    (folder / "door").unlink(missing_ok=True)
    door.bind(str(folder / "door"))
    door.listen()
    threading.Thread(target=open_door, args=(door,), daemon=True).start()
    for line in sys.stdin:  # "stop" kills the service as a crash would; the end of it all ends us
        if line.strip() == "crash":
            service.kill()
    service.terminate()
    service.wait(10)
    os._exit(0)


def open_door(door: socket.socket) -> None:
    while True:
        visitor, _ = door.accept()
        with visitor:
            slot = visitor.recv(1)
            try:
                wire = socket.create_connection(("127.0.0.1", PORT + slot[0]), 5)
            except (OSError, IndexError):
                continue
            wire.settimeout(None)
            visitor.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [wire.fileno()]))])
            wire.close()


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags_of = struct.pack("16sh14s", b"lo", 0x1 | 0x8 | 0x40, bytes(14))  # up, loopback, running
        fcntl.ioctl(any_socket, 0x8914, flags_of)


if __name__ == "__main__":
    main(Path(sys.argv[1]), plugged="unplugged" not in sys.argv[2:])
