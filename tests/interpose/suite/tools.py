"""Cases with small programs that leave their calls by signals, or change who they are."""

import os

from harness import tool

# Each signal comes while the shell waits. What is left of it is waited for, so that the order of
# what happens is the same every time.
TRAPS = r"""
later() { (sleep 0.2; kill -$1 $$; sleep 0.2) & }
trap 'echo trapped USR1' USR1
later USR1; wait; echo "wait $?"; wait; echo "again $?"
later USR1; wait $!; echo "wait for one $?"; wait
mkfifo p; exec 3<>p
(sleep 0.2; kill -USR1 $$; sleep 0.2; echo line >&3) & read line <&3; echo "read $? $line"; wait
trap 'echo trapped INT' INT
later INT; sleep 0.6; echo "sleep $?"; wait
trap '' TERM; kill -TERM $$; echo ignored
trap 'echo trapped TERM; exit 5' TERM
sh -c 'trap "echo inner; exit 6" TERM; (sleep 0.2; kill -TERM $$) & wait'; echo "inner $?"
trap 'echo at the end' EXIT
set -e; false; echo not reached
"""


def shell_traps(mode):
    """Handlers that bash and dash leave by longjmp, out of wait, read and sleep."""
    facts = {}
    for shell in ("bash", "dash"):
        status, output = mode.run([tool(shell, shell), "-c", TRAPS], timeout=60)
        facts[shell] = status, sorted(output.decode().splitlines())
        os.unlink(os.path.join(mode.folder, "p"))
    return facts


PAGE = """<html><title>Title</title><body><h1>Head</h1><p>Text with a <a href="other.html">link</a>
and <b>more</b> text.</p><table border=1><tr><td>1<td>2</table><form><input name=a></form>"""


def browsers(mode):
    """Text browsers, which ask terminals and start helpers."""
    with open(os.path.join(mode.folder, "page.html"), "w") as page:
        page.write(PAGE * 50)
    w3m = tool("w3m", "w3m")
    return {"dump": mode.run([w3m, "-dump", "page.html"]),
            "input": mode.run([w3m, "-dump", "-T", "text/html"], input=PAGE.encode()),
            "source": mode.run([w3m, "-dump_source", "page.html"]),
            "missing": mode.run([w3m, "-dump", "none.html"])}


def setpriv(mode):
    """Programs with other users, groups and capabilities. Only root has something to give up."""
    path = tool("setpriv", "util-linux")
    show = "id; grep -E '^(Cap|NoNew|Uid|Gid|Groups)' /proc/self/status; touch f; chown 1 f 2>&1"
    facts = {"dump": mode.run([path, "--dump"])}
    for name, options in (("user", ["--reuid=65534", "--regid=65534", "--clear-groups"]),
                          ("none new", ["--no-new-privs", "--inh-caps=-all"]),
                          ("bounds", ["--bounding-set=-chown,-kill", "--inh-caps=-chown,-kill"])):
        facts[name] = mode.run([path] + options + ["sh", "-c", show])
    return facts
