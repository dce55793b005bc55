"""A program that has privileges from its file takes nothing from the environment: preloading does
not reach it, and if it is linked with libwire-interpose.so, the library ignores the WIRE_ variables.

usage: secure.py CC INCLUDE-FOLDER LIBWIRE LIBWIRE-INTERPOSE. Needs root, to change the owner."""

import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
NOBODY = 65534
cc, include, libwire, interpose = sys.argv[1:]

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
#ifdef LINKED
#include "wire.h"
#endif
int main(void) {
  char line[4096];
  int mapped = 0, in_wire = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps))
    mapped |= strstr(line, "libwire-interpose") != NULL;
#ifdef LINKED
  in_wire = wire_in_wire();
#endif
  usleep(1);
  printf("secure %lu, maps %d, mapped %d, in a wire %d\n", getauxval(AT_SECURE), maps != NULL,
         mapped, in_wire);
  return 0;
}
"""


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIPPED)


def build(folder, name, options):
    path = os.path.join(folder, name)
    command = [cc, "-x", "c", "-", "-o", path, "-I" + include, "-x", "none"] + options
    subprocess.run(command, check=True, input=PROGRAM.encode())
    return path


def run(program, setuid, variables):
    os.chmod(program, 0o4755 if setuid else 0o755)
    done = subprocess.run([program], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
    return done.returncode, done.stdout.decode(), done.stderr.decode()


if os.geteuid() != 0:
    skip("only root can make programs of another user")
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)  # and libraries in it that everybody can read
    for library in (libwire, interpose):
        name = "libwire.so.1" if library == libwire else "libwire-interpose.so"
        shutil.copy(library, os.path.join(folder, name))
        os.chmod(os.path.join(folder, name), 0o755)
    there = os.path.join(folder, "libwire-interpose.so")
    plain = build(folder, "plain", [])
    linked = build(folder, "linked", ["-DLINKED", "-Wl,--disable-new-dtags", "-Wl,-rpath," + folder,
                                      "-Wl,--no-as-needed", there, folder + "/libwire.so.1"])
    switches = {"WIRE_MAIN_IN_WIRE": "1", "WIRE_TRACE_CALLS": "1", "WIRE_IO_THREADS": "7"}
    preload = dict(switches, LD_PRELOAD=there, LD_LIBRARY_PATH=folder)

    status, output, errors = run(linked, True, switches)
    if "secure 0" in output:
        skip("programs in %s get no privileges" % folder)

    # Without privileges everything works: these tests can fail.
    assert (status, output) == (0, "secure 1, maps 1, mapped 1, in a wire 0\n"), (status, output)
    assert errors == "", errors
    status, output, errors = run(linked, False, switches)
    assert (status, output) == (0, "secure 0, maps 1, mapped 1, in a wire 1\n"), (status, output)
    assert "usleep" in errors, errors

    status, output, errors = run(plain, False, preload)
    assert (status, output) == (0, "secure 0, maps 1, mapped 1, in a wire 0\n"), (status, output)
    assert "usleep" in errors, errors
    status, output, errors = run(plain, True, preload)
    assert (status, output) == (0, "secure 1, maps 1, mapped 0, in a wire 0\n"), (status, output)
    assert "usleep" not in errors, errors
print("a program with privileges is left alone")
