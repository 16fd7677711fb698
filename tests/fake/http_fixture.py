#!/usr/bin/python3
"""Servers for the unit tests of src/http: HTTP with faults, TLS, echo, CONNECT proxies.

Usage: http_fixture.py DIR. Makes certificates in DIR, listens on free loopback ports and on unix sockets in
DIR, prints `name value` lines and then `ready`. Ends when its standard input is closed.
"""

import base64
import gzip
import hashlib
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

LOCK = threading.Lock()
COUNT = {"conn": 0, "posts": 0}
ENDLESS = 10


def rst(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# ---- HTTP with faults ----


class Conn:
    """One connection of the HTTP server."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b""
        self.requests = 0
        self.drop_next = False
        with LOCK:
            COUNT["conn"] += 1
            self.id = COUNT["conn"]

    def fill(self):
        data = self.sock.recv(262144)
        if not data:
            raise EOFError
        self.buf += data

    def take(self, n):
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def line(self):
        while b"\r\n" not in self.buf:
            self.fill()
        text, self.buf = self.buf.split(b"\r\n", 1)
        return text

    def read_head(self):
        while b"\r\n\r\n" not in self.buf:
            self.fill()
        self.head, self.buf = self.buf.split(b"\r\n\r\n", 1)
        lines = self.head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.headers = {}
        for text in lines[1:]:
            name, value = text.split(":", 1)
            self.headers[name.lower()] = value.strip()

    def read_body(self):
        if self.headers.get("transfer-encoding") == "chunked":
            body, sizes = b"", []
            while True:
                n = int(self.line(), 16)
                sizes.append(n)
                body += self.take(n)
                self.take(2)
                if not n:
                    return body, "chunked"
        if "content-length" in self.headers:
            return self.take(int(self.headers["content-length"])), "length"
        return b"", "none"

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, status, body=b"", headers=(), length=True):
        out = "HTTP/1.1 %d Because\r\nX-Conn: %d\r\nX-Request: %d\r\n" % (status, self.id, self.requests)
        for name, value in headers:
            out += "%s: %s\r\n" % (name, value)
        if length:
            out += "Content-Length: %d\r\n" % len(body)
        out += "\r\n"
        self.send(out.encode("latin-1") + (b"" if self.method == "HEAD" else body))

    def serve(self):
        """One request; False ends the connection."""
        self.read_head()
        self.requests += 1
        if self.drop_next:
            return False
        path = self.target.split("?")[0]
        if path not in NO_BODY_READ:
            self.body, self.framing = self.read_body()
        if self.method == "POST":
            COUNT["posts"] += 1
        action = ACTIONS.get(path)
        if action:
            return action(self) is not False
        self.answer(404, b"no such path")
        return True


def ok(c):
    c.answer(200, b"hello", [("Date", "Thu, 01 Jan 1970 00:01:40 GMT")])


def dump(c):
    c.answer(200, c.head)


def echo(c):
    c.answer(200, c.body, [("X-Method", c.method), ("X-Framing", c.framing)])


def chunked(c):
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n \r\n5;x=y\r\nworld\r\n0\r\nX-T: 1\r\n\r\n")


def short(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
    return False


def short_chunk(c):
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
    return False


def bad_chunk(c):
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")
    return False


def drop(c):
    return False


def reset(c):
    rst(c.sock)
    return False


def reset_body(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
    time.sleep(0.1)
    rst(c.sock)
    return False


def stall(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
    time.sleep(ENDLESS)
    return False


def silent(c):
    time.sleep(ENDLESS)
    return False


def drip(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
    for i in range(8):
        c.send(b"x")
        time.sleep(0.3)


def flood_count(c):
    c.answer(200, b"", [("X-%d" % i, "y") for i in range(300)])


def flood_line(c):
    c.answer(200, b"", [("X-Long", "y" * 70000)])


def flood_huge(c):
    c.answer(200, b"", [("X-Long", "y" * 400000)])


def flood_total(c):
    c.answer(200, b"", [("X-%d" % i, "y" * 3000) for i in range(120)])


def flood_interim(c):
    for _ in range(20000):
        c.send(b"HTTP/1.1 103 Early\r\nLink: </x>; rel=preload\r\n\r\n")
    c.answer(200, b"late")


def interim(c):
    c.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX-Interim: yes\r\n\r\n")
    c.answer(200, b"final")


def switch(c):
    c.send(b"HTTP/1.1 101 Switching\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\nraw")
    return False


def http10(c):
    c.send(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
    return False


def not_http(c):
    c.send(b"SSH-2.0-OpenSSH\r\n")
    return False


def bad_status(c):
    c.send(b"HTTP/1.1 2x0 OK\r\n\r\n")
    return False


def bad_header(c):
    c.send(b"HTTP/1.1 200 OK\r\nBad Header: x\r\nContent-Length: 0\r\n\r\n")
    return False


def second_status(c):
    c.send(b"HTTP/1.1 401 No\r\nHTTP/1.1 200 OK: y\r\nContent-Length: 0\r\n\r\n")
    return False


def two_lengths(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
    return False


def no_content(c):
    c.answer(204, length=False)


def not_modified(c):
    c.answer(304, length=False)


def trailing(c):
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more")


def then_drop(c):
    c.drop_next = True
    c.answer(200, b"once")


def refuse(c):
    c.answer(401, b"no", [("Connection", "close")])
    time.sleep(0.2)
    return False


def secrets(c):
    c.answer(
        200,
        b"body-secret",
        [
            ("Set-Cookie", "sid=hush-cookie"),
            ("Location", "http://u:hush-user@h/x?_state=hush-state&n=1"),
            ("X-Sub-Token", "hush-token"),
        ],
    )


def posts(c):
    c.answer(200, b"%d" % COUNT["posts"])


def packed(c):
    c.answer(200, gzip.compress(b"unpacked"), [("Content-Encoding", "gzip")])


def big(c):
    n = int(c.target.split("?")[1])
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n)
    piece = b"\0" * (1 << 20)
    while n > 0:
        c.send(piece[:n])
        n -= len(piece)


NO_BODY_READ = ("/refuse", "/stall-upload")
ACTIONS = {
    "/ok": ok, "/dump": dump, "/echo": echo, "/chunked": chunked, "/short": short, "/short-chunk": short_chunk,
    "/bad-chunk": bad_chunk, "/drop": drop, "/reset": reset, "/reset-body": reset_body, "/stall": stall,
    "/silent": silent, "/drip": drip, "/flood-count": flood_count, "/flood-line": flood_line,
    "/flood-huge": flood_huge, "/flood-total": flood_total, "/flood-interim": flood_interim,
    "/interim": interim, "/switch": switch, "/http10": http10, "/not-http": not_http,
    "/bad-status": bad_status, "/bad-header": bad_header, "/two-lengths": two_lengths,
    "/second-status": second_status, "/204": no_content,
    "/304": not_modified, "/trailing": trailing, "/then-drop": then_drop, "/refuse": refuse,
    "/secrets": secrets, "/posts": posts, "/gzip": packed, "/big": big, "/stall-upload": silent,
}


def serve_http(sock):
    c = Conn(sock)
    while c.serve():
        pass


# ---- echo ----


def serve_echo(sock):
    """Sends back what comes, "bye" after the end, then ends."""
    while True:
        data = sock.recv(65536)
        if not data:
            break
        sock.sendall(data)
    sock.sendall(b"bye")
    if isinstance(sock, ssl.SSLSocket):
        sock.unwrap()
    else:
        sock.shutdown(socket.SHUT_WR)


def serve_flood(sock):
    """Sends 4 MiB before it reads anything, then drains."""
    sock.sendall(b"f" * (4 << 20))
    n = 0
    while True:
        data = sock.recv(65536)
        if not data:
            break
        n += len(data)
    sock.sendall(b"got %d" % n)
    sock.shutdown(socket.SHUT_WR)


def serve_garbage(sock):
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    time.sleep(0.1)


def serve_hangup(sock):
    sock.recv(4096)


# ---- upgrades ----

UP = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
ERROR = b'{"message":"no such thing"}'
REFUSALS = {
    "/up-404": b"HTTP/1.1 404 No\r\nContent-Length: %d\r\n\r\n%s and more" % (len(ERROR), ERROR),
    "/up-chunked": b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"
    % (ERROR[:5], len(ERROR) - 5, ERROR[5:]),
    "/up-until-end": b"HTTP/1.1 409 No\r\n\r\n" + ERROR,
    "/up-other": UP.replace(b"tcp", b"h2c"),
    "/up-document": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/up-flood": b"HTTP/1.1 101 X\r\n" + b"X: y\r\n" * 100000,
    "/up-broken": b"SSH-2.0-OpenSSH\r\n",
    "/up-hangup": b"",
}


def websocket_answer(c):
    key = c.headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key).digest())
    return UP.replace(b"tcp", b"websocket")[:-2] + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"


def serve_upgrade(sock):
    """Upgrades to an echo; early bytes are sent together with the head."""
    c = Conn(sock)
    c.read_head()
    body, _ = c.read_body()
    path = c.target.split("?")[0]
    if c.headers.get("connection") != "Upgrade" or path in REFUSALS:
        c.send(REFUSALS.get(path, b"HTTP/1.1 400 no upgrade\r\n\r\n"))
        return
    if path == "/up-silent":
        time.sleep(ENDLESS)
    if path == "/up-auth" and c.headers.get("authorization") != "Open sesame":
        c.send(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        return
    if path == "/up-200":
        c.send(UP.replace(b"101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp", b"200 OK\r\nContent-Type: raw"))
    elif path == "/up-slowly":
        for byte in b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n" + UP:
            c.send(b"%c" % byte)
    elif path == "/up-websocket":
        c.send(websocket_answer(c))
    else:
        c.send(UP + b"early " + body)
    serve_echo(sock)


# ---- proxy ----


def relay(a, b):
    while True:
        ready, _, _ = select.select([a, b], [], [])
        for s in ready:
            data = s.recv(65536)
            if not data:
                (b if s is a else a).shutdown(socket.SHUT_WR)
                if s is b:
                    return
                while True:
                    data = b.recv(65536)
                    if not data:
                        return
                    a.sendall(data)
            (b if s is a else a).sendall(data)


def serve_proxy(sock, password=None, broken=False):
    c = Conn(sock)
    c.read_head()
    c.requests += 1
    want = "Basic " + base64.b64encode(("user:%s" % password).encode()).decode()
    if password and c.headers.get("proxy-authorization") != want:
        c.answer(407, b"", [("Proxy-Authenticate", "Basic realm=x"), ("Connection", "close")])
    elif c.method != "CONNECT":
        c.answer(200, c.head, [("X-Proxy", "yes"), ("Connection", "close")])
    elif broken:
        c.answer(503, b"", [("Connection", "close")])
    else:
        host, port = c.target.rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as to:
            c.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            relay(sock, to)


# ---- listening ----


def one(serve, sock, ctx):
    try:
        if ctx:
            sock = ctx.wrap_socket(sock, server_side=True)
        serve(sock)
    except (OSError, EOFError, ValueError):
        pass
    finally:
        try:
            sock.close()
        except OSError:
            pass


def listen(name, serve, ctx=None, path=None):
    if path:
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(64)
        print(name, path)
    else:
        server = socket.create_server(("127.0.0.1", 0), backlog=64)
        print(name, server.getsockname()[1])

    def loop():
        while True:
            sock, _ = server.accept()
            threading.Thread(target=one, args=(serve, sock, ctx), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


# ---- certificates ----


def openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_ca(name, cwd):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
            "-out", name + ".pem", "-days", "2", "-subj", "/CN=" + name, cwd=cwd)


def make_cert(name, ca, san, cwd, days="2"):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
            "-out", name + ".csr", "-subj", "/CN=" + name, cwd=cwd)
    with open(os.path.join(cwd, name + ".ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=%s\n" % san)
    openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial",
            "-days", days, "-extfile", name + ".ext", "-out", name + ".pem", cwd=cwd)


def context(cwd, name, client_ca=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(os.path.join(cwd, name + ".pem"), os.path.join(cwd, name + ".key"))
    if client_ca:
        # With TLS 1.3 the client learns only later that its certificate is missing.
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
        ctx.verify_mode = ssl.CERT_REQUIRED
        ctx.load_verify_locations(os.path.join(cwd, client_ca + ".pem"))
    return ctx


def main():
    cwd = sys.argv[1]
    here = "DNS:localhost,IP:127.0.0.1"
    make_ca("ca", cwd)
    make_ca("self", cwd)
    make_cert("good", "ca", here, cwd)
    make_cert("other", "ca", "DNS:other.example", cwd)
    make_cert("old", "ca", here, cwd, days="-1")
    make_cert("client", "ca", "DNS:client", cwd)
    openssl("ec", "-in", "client.key", "-aes128", "-passout", "pass:sesame", "-out", "locked.key", cwd=cwd)

    listen("http", serve_http)
    listen("unix", serve_http, path=os.path.join(cwd, "http.sock"))
    listen("tls", serve_http, context(cwd, "good"))
    listen("tls_other", serve_http, context(cwd, "other"))
    listen("tls_old", serve_http, context(cwd, "old"))
    listen("tls_self", serve_http, context(cwd, "self"))
    listen("tls_client", serve_http, context(cwd, "good", "ca"))
    listen("echo", serve_echo)
    listen("echo_unix", serve_echo, path=os.path.join(cwd, "echo.sock"))
    listen("echo_tls", serve_echo, context(cwd, "good"))
    listen("up", serve_upgrade)
    listen("up_unix", serve_upgrade, path=os.path.join(cwd, "up.sock"))
    listen("up_tls", serve_upgrade, context(cwd, "good"))
    listen("flood", serve_flood)
    listen("garbage", serve_garbage)
    listen("hangup", serve_hangup)
    listen("proxy", serve_proxy)
    listen("proxy_auth", lambda s: serve_proxy(s, password="hush-proxy"))
    listen("proxy_broken", lambda s: serve_proxy(s, broken=True))
    print("ready", flush=True)
    sys.stdin.read()


main()
