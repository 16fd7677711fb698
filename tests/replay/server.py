"""The listeners of a transcript on free loopback ports, answering with what was recorded.

Every request is read whole, then handed to the current Script, which answers the recorded response
if the request is the next recorded exchange, else 599. A client that speaks TLS to a plain listener
or the reverse gets what docker-registry gave it (400, reset) and is no exchange.
"""

import http.client
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024
IDLE_SECONDS = 30


@dataclass
class Request:
    """A request as it arrived; header names in lower case, repeated ones joined with ', '."""
    listener: str
    method: str
    target: str
    headers: dict = field(default_factory=dict)
    body: bytes = b''
    aborted: bool = False

    @property
    def path(self):
        return self.target.partition('?')[0]

    @property
    def query(self):
        return self.target.partition('?')[2]


def query_pairs(query):
    """Decoded (key, value) pairs, blank ones kept, sorted by key; one key's values keep order."""
    pairs = [p.partition('=') for p in query.split('&') if p]
    return sorted(((unquote_plus(k), unquote_plus(v)) for k, _, v in pairs), key=lambda p: p[0])


def same_target(want, method, path, query):
    """True if a recorded exchange and a request (in recorded words) name the same thing."""
    return (want['method'] == method and unquote(want['path']) == unquote(path)
            and query_pairs(want.get('query') or '') == query_pairs(query))


def make_tls(directory):
    """A CA for this run (ca.pem in directory) and a server context for localhost, 127.0.0.1."""
    def openssl(*args):
        run = subprocess.run(['openssl', *args], cwd=keys, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if run.returncode:
            raise RuntimeError('openssl: ' + run.stdout.decode('utf-8', 'replace').strip())
    keys = os.path.join(directory, 'tls')
    ca = os.path.join(directory, 'cwd', 'ca.pem')
    os.mkdir(keys, 0o700)
    with open(os.path.join(keys, 'ext'), 'w', encoding='ascii') as f:
        f.write('basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
                'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n')
    new = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl('req', '-x509', *new, '-keyout', 'ca.key', '-out', ca, '-days', '2',
            '-subj', '/CN=replay test CA', '-addext', 'keyUsage=critical,keyCertSign')
    openssl('req', *new, '-keyout', 'key.pem', '-out', 'csr.pem', '-subj', '/CN=localhost')
    openssl('x509', '-req', '-in', 'csr.pem', '-CA', ca, '-CAkey', 'ca.key', '-set_serial', '2',
            '-days', '2', '-extfile', 'ext', '-out', 'cert.pem')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(keys, 'cert.pem'), os.path.join(keys, 'key.pem'))
    context.set_alpn_protocols(['http/1.1'])
    return context


class Closed(Exception):
    """The client went away; .partial says whether in the middle of a body."""


class Connection:
    """One accepted connection: reads requests, sends answers, until either side closes."""

    def __init__(self, listener, sock):
        self.listener = listener
        self.sock = sock
        self.file = None

    def run(self):
        """Serve; returns when the connection is over."""
        try:
            self.sock.settimeout(IDLE_SECONDS)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._greet():
                return
            self.file = self.sock.makefile('rb')
            while self._one():
                pass
        except (OSError, Closed):
            pass
        finally:
            if self.file:
                self.file.close()
            self.sock.close()

    def _greet(self):
        """TLS handshake if this is a TLS listener; False if the client speaks the other thing."""
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            return False
        if (first == b'\x16') != (self.listener.tls is not None):
            if self.listener.tls is None:
                self.sock.sendall(b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
                self._discard()
            else:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            return False
        if self.listener.tls is not None:
            self.sock = self.listener.tls.wrap_socket(self.sock, server_side=True)
        return True

    def _discard(self):
        """Read what is under way, so that closing does not reset what was sent."""
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(1)
        while self.sock.recv(65536):
            pass

    def _line(self):
        line = self.file.readline(MAX_HEAD)
        if not line.endswith(b'\n'):
            raise Closed
        return line.rstrip(b'\r\n').decode('latin-1')

    def _one(self):
        """One request and its answer; False if the connection ends after it."""
        start = self._line()
        m = re.fullmatch(r'([A-Z]+) (\S+) HTTP/1\.[01]', start)
        request = Request(self.listener.name, *(m.groups() if m else ('malformed', start)))
        while m and (line := self._line()):
            name, _, value = line.partition(':')
            name, value = name.strip().lower(), value.strip()
            old = request.headers.get(name)
            request.headers[name] = value if old is None else f'{old}, {value}'
        if request.headers.get('expect', '').lower() == '100-continue':
            self.sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        try:
            request.body = self._body(request.headers)
        except (Closed, OSError):
            request.aborted = True
        answer = self.listener.script(request)
        if answer is None or request.aborted:
            return False
        self.sock.sendall(answer.encode(request.method))
        if answer.close or not m:
            self._discard()
            return False
        return request.headers.get('connection', '').lower() != 'close'

    def _exactly(self, n):
        if n > MAX_BODY:
            raise Closed
        data = self.file.read(n)
        if len(data) != n:
            raise Closed
        return data

    def _body(self, headers):
        if 'chunked' not in headers.get('transfer-encoding', '').lower():
            length = headers.get('content-length', '0')
            return self._exactly(int(length)) if length.isdigit() else b''
        parts = []
        while True:
            size = self._line().partition(';')[0].strip()
            if not re.fullmatch(r'[0-9A-Fa-f]{1,8}', size):
                raise Closed
            if int(size, 16) == 0:
                break
            parts.append(self._exactly(int(size, 16)))
            self._line()
        while self._line():
            pass
        return b''.join(parts)


@dataclass
class Answer:
    """What to send: headers as they are (no Content-Length is added), then the body."""
    status: int
    headers: dict
    body: bytes
    close: bool = False

    def encode(self, method):
        lines = [f'HTTP/1.1 {self.status} {http.client.responses.get(self.status, "Unknown")}']
        lines += [f'{k}: {v}' for k, v in self.headers.items()]
        if self.close:
            lines.append('Connection: close')
        head = '\r\n'.join(lines) + '\r\n\r\n'
        return head.encode('latin-1') + (b'' if method == 'HEAD' else self.body)


class Listener:
    """One named listener of the transcript; .port is the live port."""

    def __init__(self, name, tls, script):
        """tls: an SSLContext or None; script: callable(Request) -> Answer or None."""
        self.name, self.tls, self.script = name, tls, script
        self.lock = threading.Condition()
        self.active = 0
        self.accepted = 0
        self.sock = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                self.active += 1
                self.accepted += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            Connection(self, sock).run()
        finally:
            with self.lock:
                self.active -= 1
                self.lock.notify_all()

    def drain(self, seconds=3):
        """Wait until everything a dead client sent is served; False if connections stay open.

        Connections are accepted in order: when ours is, none is left in the backlog.
        """
        with self.lock:
            before = self.accepted
        deadline = time.monotonic() + seconds
        socket.create_connection(('127.0.0.1', self.port)).close()
        with self.lock:
            return self.lock.wait_for(
                lambda: self.accepted > before and self.active == 0,
                deadline - time.monotonic())

    def close(self):
        """Stop accepting."""
        self.sock.close()
