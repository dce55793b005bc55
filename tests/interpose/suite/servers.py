"""Cases with servers and clients, both run in the same way."""

import os
import re

from harness import free_port, sha256, tool
from programs import large_file


def redis(mode):
    """A server under load, its data after a restart, and an orderly end."""
    server_path, benchmark = tool("redis-server", "redis-server"), tool("redis-benchmark",
                                                                        "redis-tools")
    client = tool("redis-cli", "redis-tools")
    port = free_port()
    command = [server_path, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
               mode.folder, "--appendonly", "yes", "--enable-debug-command", "local",
               "--io-threads", "2"]
    server = mode.serve(command, port)
    cli = [client, "-p", str(port)]
    facts = {}
    status, output = mode.run([benchmark, "-p", str(port), "-q", "-n", "2000", "-c", "50",
                               "-P", "4", "-r", "100", "--csv", "-t",
                               "ping,set,get,incr,lpush,lpop,sadd,hset,zadd,lrange,mset"])
    names = re.findall(r'^"([A-Z][^"]*)","[\d.]+"', output.decode(errors="replace"), re.M)
    facts["benchmark"] = status, names
    facts["flush"] = mode.run(cli + ["flushall"])
    commands = "".join("SET key:%d value:%d\nRPUSH list %d\nBLPOP list 1\n" % (i, i, i)
                       for i in range(300))
    facts["commands"] = mode.run(cli, input=commands.encode())
    facts["blocked"] = mode.run(cli + ["BLPOP", "empty", "0.1"])
    facts["save"] = mode.run(cli + ["save"])
    facts["digest"] = mode.run(cli + ["debug", "digest"])
    facts["end"] = mode.stop(server)
    server = mode.serve(command, port)
    wait = "until %s -p %d ping | grep -q PONG; do sleep 0.05; done" % (client, port)
    facts["loaded"] = mode.run(["sh", "-c", wait], timeout=60)
    facts["digest again"] = mode.run(cli + ["debug", "digest"])
    facts["rewrite"] = mode.run(cli + ["bgrewriteaof"])
    facts["end again"] = mode.stop(server)
    return facts


NGINX = """
worker_processes 2;
pid %(folder)s/pid;
error_log %(folder)s/errors;
daemon off;
%(user)s
events { worker_connections 512; }
http {
  access_log off;
  sendfile %(sendfile)s;
  client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2;
  fastcgi_temp_path %(folder)s/t3; uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
  server { listen 127.0.0.1:%(port)d; root %(folder)s/root;
    location /proxy/ { proxy_pass http://127.0.0.1:%(port)d/; proxy_buffering off; } }
}
"""


def nginx(mode):
    """Processes with event loops, under wrk; and checksums of what they send."""
    path, wrk, curl = tool("nginx", "nginx-light"), tool("wrk", "wrk"), tool("curl", "curl")
    os.mkdir(os.path.join(mode.folder, "root"))
    large_file(os.path.join(mode.folder, "root"), "small", 700)
    large_file(os.path.join(mode.folder, "root"), "large", 3000000)
    facts = {}
    for sendfile in ("on", "off"):
        port = free_port()
        with open(os.path.join(mode.folder, "conf"), "w") as conf:
            conf.write(NGINX % {"folder": mode.folder, "port": port, "sendfile": sendfile,
                                "user": "user root;" if os.geteuid() == 0 else ""})
        server = mode.serve([path, "-e", os.path.join(mode.folder, "errors"), "-c",
                             os.path.join(mode.folder, "conf"), "-p", mode.folder], port)
        for name in ("small", "large", "proxy/large"):
            status, data = mode.run([curl, "-s", "http://127.0.0.1:%d/%s" % (port, name)])
            facts["%s, sendfile %s" % (name, sendfile)] = status, len(data), sha256(data)
        status, output = mode.run([wrk, "-t", "2", "-c", "20", "-d", "1s",
                                   "http://127.0.0.1:%d/small" % port])
        text = output.decode(errors="replace")
        facts["wrk, sendfile " + sendfile] = (status, "Requests/sec" in text, re.findall(
            r"Socket errors.*|Non-2xx.*", text))
        facts["end, sendfile " + sendfile] = mode.stop(server)
    return facts


def curl(mode):
    """One process, several transfers at once, up and down."""
    path = tool("curl", "curl")
    root = os.path.join(mode.folder, "root")
    os.mkdir(root)
    sizes = {"empty": 0, "one": 1, "some": 70000, "many": 5000000}
    for name, size in sizes.items():
        large_file(root, name, size)
    port = free_port()
    mode.serve(["/usr/bin/python3", "-u", "-m", "http.server", "-d", root, "-b", "127.0.0.1",
                str(port)], port)
    url = "http://localhost:%d/" % port
    facts = {}
    for name in sizes:
        status, data = mode.run([path, "-sS", "-4", url + name])
        facts[name] = status, sha256(data)
    facts["parallel"] = mode.run(  # its output is how fast it was
        [path, "-sS", "-4", "-Z", url + "many", "-o", "1", url + "some", "-o", "2", url + "one",
         "-o", "3"])[0]
    for name in "123":
        with open(os.path.join(mode.folder, name), "rb") as data:
            facts["parallel " + name] = sha256(data.read())
    facts["missing"] = mode.run([path, "-s", "-o", "/dev/null", "-w", "%{http_code}", url + "none"])
    facts["refused"] = mode.run([path, "-s", "http://127.0.0.1:1/"])
    facts["slow"] = mode.run([path, "-sS", "--limit-rate", "200k", url + "some", "-o", "slow"])
    facts["file"] = sha256(mode.run([path, "-s", "file://" + os.path.join(root, "many")])[1])
    return facts
