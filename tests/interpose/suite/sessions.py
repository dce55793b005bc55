"""Cases with servers that keep a process or a thread for each client."""

import contextlib
import os

from harness import Missing, free_port, tool

SSHD = """
Port %(port)d
ListenAddress 127.0.0.1
HostKey %(folder)s/host
AuthorizedKeysFile %(folder)s/key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


@contextlib.contextmanager
def existing(folder):
    """One that a package makes when its service starts."""
    made = not os.path.exists(folder)
    if made:
        os.mkdir(folder)
    try:
        yield
    finally:
        if made:
            os.rmdir(folder)


def ssh(mode):
    """A server that gives up its rights in the middle of a session, and forbids itself system
    calls; its clients."""
    sshd, client = tool("sshd", "openssh-server"), tool("ssh", "openssh-client")
    if os.geteuid() != 0:
        raise Missing("root, for sshd")
    port = free_port()
    for name in ("host", "key"):
        mode.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name])
    conf = os.path.join(mode.folder, "conf")
    with open(conf, "w") as file:
        file.write(SSHD % {"port": port, "folder": mode.folder})
    options = ["-F", "none", "-i", "key", "-o", "UserKnownHostsFile=/dev/null",
               "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]
    here = options + ["-p", str(port), "root@127.0.0.1"]
    facts = {}
    with existing("/run/sshd"):
        server = mode.serve([sshd, "-D", "-e", "-f", conf], port)
        facts["command"] = mode.run([client] + here + ["echo in; echo err >&2; exit 3"])
        facts["data"] = mode.run([client] + here + ["cat | cksum"], input=b"0123456789" * 100000)
        facts["terminal"] = mode.run([client, "-tt"] + here + ["tty | sed s/[0-9]*$//"])
        facts["refused"] = mode.run([client, "-o", "IdentitiesOnly=yes", "-i", "host"]
                                    + here[:2] + here[4:] + ["true"])[0]
        with open(os.path.join(mode.folder, "batch"), "w") as batch:
            batch.write("get %s/conf got\nput got put\nrename put conf2\n" % mode.folder)
        facts["sftp"] = mode.run([tool("sftp", "openssh-client"), "-q"] + options
                                 + ["-P", str(port), "-b", "batch",
                                    "root@127.0.0.1:" + mode.folder])[0]
        with open(os.path.join(mode.folder, "conf2")) as file:
            facts["same"] = file.read() == SSHD % {"port": port, "folder": mode.folder}
        facts["end"] = mode.stop(server)
    return facts


TABLES = """
create table t (a int primary key, b varchar(100), key (b)) engine=innodb;
insert into t select seq, md5(seq) from seq_1_to_5000;
begin; update t set b = concat(b, 'x') where a % 7 = 0; rollback;
update t set b = concat(b, 'y') where a % 3 = 0;
select count(*), sum(length(b)) from t; checksum table t; check table t;
select sleep(0.1);
"""


def mariadb(mode):
    """A server with a thread for each client, which writes with asynchronous io."""
    server_path = tool("mariadbd", "mariadb-server-core")
    client = tool("mariadb", "mariadb-client-core")
    data, socket = os.path.join(mode.folder, "data"), os.path.join(mode.folder, "s")
    user = ["--user=root"] if os.geteuid() == 0 else []
    facts = {"install": mode.run(
        [tool("mariadb-install-db", "mariadb-server-core"), "--no-defaults", "--datadir=" + data,
         "--auth-root-authentication-method=normal", "--skip-test-db"] + user)[0]}
    port = free_port()
    command = [server_path, "--no-defaults", "--datadir=" + data, "--socket=" + socket,
               "--bind-address=127.0.0.1", "--port=%d" % port,
               "--innodb-buffer-pool-size=32M"] + user
    sql = [client, "--no-defaults", "-u", "root", "-S", socket]
    server = mode.serve(command, port)
    facts["tables"] = mode.run(sql + ["-e", "create database d; use d;" + TABLES])
    several = "for i in 1 2 3 4 5 6 7 8; do %s d -e \"update t set b = concat(b, 'z') where a" \
              " %% 8 = $i; select sleep(0.1)\" & done; wait" % " ".join(sql)
    facts["several"] = mode.run(["sh", "-c", several])
    facts["end"] = mode.stop(server)
    server = mode.serve(command, port)
    facts["again"] = mode.run(sql + ["d", "-e", "checksum table t; check table t"])
    facts["end again"] = mode.stop(server)
    return facts
