"""50 wires of one thread, each with a connection of libpq to a PostgreSQL server, that run
`select pg_sleep(0.2)`. See demo.py."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile

import demo

program = demo.program("postgres_wires", "libpq-dev")
folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
pg_ctl = demo.tool("pg_ctl", "postgresql", ":".join(folders[-1:] + [os.environ["PATH"]]))
initdb = os.path.join(os.path.dirname(pg_ctl), "initdb")
demo.all_descriptors()

# The server refuses to run as root.
user = {}
if os.geteuid() == 0:
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        demo.needs("the user postgres", "postgresql")
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def quietly(command):
    done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **user)
    assert done.returncode == 0, done.stdout.decode()


folder = tempfile.mkdtemp()
try:
    if user:
        os.chown(folder, user["user"], user["group"])
    data, log = os.path.join(folder, "data"), os.path.join(folder, "log")
    quietly([initdb, "-D", data, "-U", "wires", "-A", "trust", "-E", "UTF8", "--locale=C",
             "--no-sync"])
    for attempt in range(5):  # another process may take the port first
        port = demo.free_port()
        options = ("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
                   " -c max_connections=80" % port)
        try:
            # Its output goes to a file: this pipe would stay open as long as the server runs.
            quietly([pg_ctl, "-D", data, "-l", log, "-w", "-t", "60", "-o", options, "start"])
            break
        except AssertionError:
            if attempt == 4:
                raise
    try:
        demo.compare([program, "host=127.0.0.1 port=%d user=wires dbname=postgres" % port], 5, 50)
    finally:
        quietly([pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"])
finally:
    shutil.rmtree(folder)
